"""The child of a GuardedDecoder: payload bytes in, ``(is_rejected, value or exception)`` out."""

import contextlib
import os
import pickle
import resource
import signal
import sys
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from mmray.core.rejection import Rejection


def main() -> None:
    """Serve until the parent hangs up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when to end
    connection = Connection(int(sys.argv[1]))
    with contextlib.suppress(EOFError, ConnectionError):
        pickled, timeout_s, max_memory_bytes = connection.recv()
        decode = pickle.loads(pickled)
        connection.send("ready")
        # What C libraries say of a broken file helps nobody.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
        resource.setrlimit(resource.RLIMIT_DATA, (max_memory_bytes, max_memory_bytes))
        while True:
            payload = connection.recv_bytes()
            # Should the parent be gone, nobody else would end a decoder that hangs.
            signal.setitimer(signal.ITIMER_REAL, 2 * timeout_s)
            connection.send_bytes(_answer(decode, payload))
            signal.setitimer(signal.ITIMER_REAL, 0)


def _answer(decode: Callable[[bytes], Any], payload: bytes) -> bytes:
    try:
        return pickle.dumps((False, decode(payload)), protocol=5)
    except Rejection as rejection:
        return pickle.dumps((True, rejection))
    except MemoryError as error:
        return pickle.dumps((True, Rejection("decode_memory", str(error))))
    except Exception as error:  # a bug in a decoder: raised where it was called
        told = RuntimeError(f"{type(error).__name__}: {error}")
        told.add_note(traceback.format_exc())
        return pickle.dumps((True, told))
