"""The child of a GuardedDecoder: lists of payloads in, ``(is_rejected, value or exception)`` out.

The parent sends a list only when all answers to the one before have come, so neither can wait for
the other to read. Which payload is at work stands in memory that both see.
"""

import contextlib
import mmap
import os
import pickle
import resource
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from typing import Any

from mmray.core.rejection import Rejection
from mmray.media.framing import pack, unpack

SENT_BYTES = 4 * 2**20
"""So much of what is decoded is held before it is sent."""


def main() -> None:
    """Serve until the parent hangs up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when to end
    connection = socket.socket(fileno=int(sys.argv[1]))
    at_work = mmap.mmap(int(sys.argv[2]), 1)
    stream = connection.makefile("rb")
    with contextlib.suppress(EOFError, ConnectionError):
        pickled, timeout_s, max_memory_bytes = unpack(stream)
        decode = pickle.loads(pickled)
        connection.sendall(pack("ready"))
        # What C libraries say of a broken file helps nobody.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
        resource.setrlimit(resource.RLIMIT_DATA, (max_memory_bytes, max_memory_bytes))
        while True:
            _serve(connection, decode, unpack(stream), at_work, timeout_s)


def _serve(
    connection: socket.socket,
    decode: Callable[[bytes], Any],
    payloads: list[memoryview],
    at_work: mmap.mmap,
    timeout_s: float,
) -> None:
    """Answer to each payload; the alarm ends this process when one takes too long."""
    held: list[bytes] = []
    held_bytes = 0
    for number, payload in enumerate(payloads):
        at_work[0] = number
        signal.setitimer(signal.ITIMER_REAL, timeout_s)
        held.append(_answer(decode, bytes(payload)))
        held_bytes += len(held[-1])
        if held_bytes >= SENT_BYTES or number + 1 == len(payloads):
            signal.setitimer(signal.ITIMER_REAL, 0)  # the parent takes the time that it takes
            connection.sendall(b"".join(held))
            held, held_bytes = [], 0


def _answer(decode: Callable[[bytes], Any], payload: bytes) -> bytes:
    try:
        return pack((False, decode(payload)))
    except Rejection as rejection:
        return pack((True, rejection))
    except MemoryError as error:
        return pack((True, Rejection("decode_memory", str(error))))
    except Exception as error:  # a bug in a decoder: raised where it was called
        told = RuntimeError(f"{type(error).__name__}: {error}")
        told.add_note(traceback.format_exc())
        return pack((True, told))
