"""How a command is stopped from outside: Ctrl-C, SIGTERM and a closed terminal end it alike."""

import os
import signal
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
AGAIN_S = 1.0
"""A signal within so long of the first is part of the same stop: ``timeout`` sends two."""


@dataclass
class _Stop:
    """The signal that ends this process, once there was one."""

    number: int = 0
    received_s: float = field(default=0.0)

    def receive(self, number: int, _: FrameType | None) -> None:
        """Raise a KeyboardInterrupt; if that takes too long for who asks again, end at once."""
        if not self.number:
            self.number, self.received_s = number, time.monotonic()
            raise KeyboardInterrupt
        if time.monotonic() - self.received_s > AGAIN_S:
            os._exit(exit_code())


_stop = _Stop()


def is_stopping() -> bool:
    """Say whether this process was asked to end."""
    return bool(_stop.number)


def exit_code() -> int:
    """Return the exit code of a process that ends because it was asked to."""
    return 128 + (_stop.number or signal.SIGINT)


@contextmanager
def stoppable() -> Generator[None]:
    """Let each of the signals raise a KeyboardInterrupt in the block.

    What is ignored already stays ignored, as by ``nohup``. After a stop the signals keep their new
    meaning, because the end of the process takes a while.
    """
    _stop.number = 0
    before = _meanings()
    for number, meaning in before.items():
        if meaning is not signal.SIG_IGN:
            signal.signal(number, _stop.receive)
    try:
        yield
    finally:
        if not is_stopping():
            _give(before)


@contextmanager
def kept_signals() -> Generator[None]:
    """Put back what the signals meant before the block; Ray gives some of them a new meaning."""
    before = _meanings()
    try:
        yield
    finally:
        _give(before)


def _meanings() -> dict[signal.Signals, Any]:
    """Return what the signals mean; only the main thread may give them another meaning."""
    if threading.current_thread() is not threading.main_thread():
        return {}
    return {number: signal.getsignal(number) for number in SIGNALS}


def _give(meanings: dict[signal.Signals, Any]) -> None:
    for number, meaning in meanings.items():
        if meaning is not None:  # by code that is not Python's
            signal.signal(number, meaning)


@contextmanager
def resumable() -> Generator[None]:
    """Say of a stop in the block that the same command resumes."""
    try:
        yield
    except KeyboardInterrupt as stop:
        stop.add_note("run the same command to resume")
        raise


def describe_stop(stop: KeyboardInterrupt) -> str:
    """Return the line that says how far the command was: the notes that its parts have left."""
    line = "stopped"
    for note in getattr(stop, "__notes__", ()):
        line += f" {note}" if note.startswith(("after", "before")) else f"; {note}"
    return line
