"""The child of a GuardedDecoder: lists of payloads in, answers out.

An answer is ``(is_rejected, value or exception, is_spent)``. A child is spent when a payload used
up its memory, or was rejected and left much of it taken: the next one should find another child.

The parent sends a list only when all answers to the one before have come, so neither can wait for
the other to read. Which payload is at work stands in memory that both see.
"""

import contextlib
import os
import pickle
import resource
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from mmray.core.rejection import Rejection
from mmray.media.channel import Channel

SENT_BYTES = 2**20
"""So much of what found no room in the shared memory is held before it is sent."""


def main() -> None:
    """Serve until the parent hangs up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when to end
    channel = Channel(socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2]), is_child=True)
    with contextlib.suppress(EOFError, ConnectionError):
        pickled, timeout_s, max_memory_bytes = channel.receive()
        decode = pickle.loads(pickled)
        channel.send(channel.pack("ready"))
        # What C libraries say of a broken file helps nobody.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
        resource.setrlimit(resource.RLIMIT_DATA, (max_memory_bytes, max_memory_bytes))
        serve = partial(_serve, channel, decode, timeout_s=timeout_s, much=max_memory_bytes // 2)
        while True:
            serve(channel.receive())


def _serve(
    channel: Channel,
    decode: Callable[[bytes], Any],
    payloads: list[bytearray],
    *,
    timeout_s: float,
    much: int,
) -> None:
    """Answer to each payload; the alarm ends this process when one takes too long."""
    channel.begin()
    held: list[bytes] = []
    held_bytes = 0
    for number, payload in enumerate(payloads):
        channel.at_work = number
        signal.setitimer(signal.ITIMER_REAL, timeout_s)
        held.append(_answer(channel, decode, bytes(payload), much))
        held_bytes += len(held[-1])
        if held_bytes >= SENT_BYTES or number + 1 == len(payloads):
            signal.setitimer(signal.ITIMER_REAL, 0)  # the parent takes the time that it takes
            channel.send(b"".join(held))
            held, held_bytes = [], 0


def _answer(channel: Channel, decode: Callable[[bytes], Any], payload: bytes, much: int) -> bytes:
    try:
        return channel.pack((False, decode(payload), False))
    except Rejection as rejection:
        told: Exception = Rejection(rejection.reason, rejection.detail)
    except MemoryError as error:
        return channel.pack((True, Rejection("decode_memory", str(error)), True))
    except Exception as error:  # a bug in a decoder: raised where it was called
        told = RuntimeError(f"{type(error).__name__}: {error}")
        told.add_note(traceback.format_exc())
    # Outside of the clauses: there, what the decoder had taken is still held by the exception.
    return channel.pack((True, told, taken_bytes() > much))


def taken_bytes() -> int:
    """Return the memory that counts against the cap; 0 where the system does not tell."""
    try:
        pages = Path("/proc/self/statm").read_bytes().split()[5]
    except OSError:
        return 0
    return int(pages) * resource.getpagesize()
