"""The child of a GuardedDecoder: payloads or references in, answers out, both in lists.

An answer is ``(is_rejected, value or exception, is_spent)``, sent as JSON and arrays: the parent
unpickles nothing of a process that read hostile bytes. A child is spent when a payload used up its
memory, or was rejected and left much of it taken: the next one should find another child.

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
from mmray.media.guard.answer import Answer, to_message
from mmray.media.guard.channel import Channel

SENT_BYTES = 2**20
"""Bytes of decoded payloads that are held before they are sent."""


def main() -> None:
    """Serve until the parent hangs up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when to end
    channel = Channel(socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2]), is_child=True)
    with contextlib.suppress(EOFError, ConnectionError):
        pickled, timeout_s, max_memory_bytes = channel.receive()
        decode = pickle.loads(pickled)
        channel.send(channel.pack_parts(*to_message([])))
        # What C libraries say of a broken file helps nobody.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
        resource.setrlimit(resource.RLIMIT_DATA, (max_memory_bytes, max_memory_bytes))
        serve = partial(_serve, channel, decode, timeout_s=timeout_s, much=max_memory_bytes // 2)
        while True:
            serve(channel.receive())


def _serve(
    channel: Channel,
    decode: Callable[[bytes | str], Any],
    payloads: list[memoryview | bytearray | str],
    *,
    timeout_s: float,
    much: int,
) -> None:
    """Answer to each payload; the alarm ends this process when one takes too long."""
    channel.begin()
    held: list[Answer] = []
    held_bytes = 0
    for number, payload in enumerate(payloads):
        channel.at_work = number
        signal.setitimer(signal.ITIMER_REAL, timeout_s)
        entry = payload if isinstance(payload, str) else bytes(payload)
        held.append(_answer(decode, entry, much))
        held_bytes += getattr(held[-1][1], "nbytes", 0)
        is_last = number + 1 == len(payloads)
        if is_last or held_bytes >= SENT_BYTES or held[-1][2]:
            message = _pack(channel, held)
            signal.setitimer(signal.ITIMER_REAL, 0)  # the parent takes the time that it takes
            channel.send(message)
            held, held_bytes = [], 0


def _answer(decode: Callable[[bytes | str], Any], payload: bytes | str, much: int) -> Answer:
    try:
        return False, decode(payload), False
    except Rejection as rejection:
        told: Exception = Rejection(rejection.reason, rejection.detail)
    except MemoryError as error:
        return True, _told(error), True
    except Exception as error:
        told = _told(error)
    # Outside of the clauses: there, what the decoder had taken is still held by the exception.
    return True, told, taken_bytes() > much


def taken_bytes() -> int:
    """Return the memory that counts against the cap; 0 if the system does not report it."""
    try:
        pages = Path("/proc/self/statm").read_bytes().split()[5]
    except OSError:
        return 0
    return int(pages) * resource.getpagesize()


def _pack(channel: Channel, answers: list[Answer]) -> bytes:
    """Pack several answers; where that fails, each alone, to see which one it is."""
    try:
        return channel.pack_parts(*to_message(answers))
    except Exception:
        return b"".join(_pack_one(channel, answer) for answer in answers)


def _pack_one(channel: Channel, answer: Answer) -> bytes:
    try:
        return channel.pack_parts(*to_message([answer]))
    except Exception as error:
        told = (True, _told(error), isinstance(error, MemoryError))
        return channel.pack_parts(*to_message([told]))


def _told(error: Exception) -> Exception:
    """Return the answer for the parent; a bug in a decoder is raised where it was called."""
    match error:
        case MemoryError():
            return Rejection("decode_memory", str(error))
        case _:
            told = RuntimeError(f"{type(error).__name__}: {error}")
            told.add_note("".join(traceback.format_exception(error)))
            return told
