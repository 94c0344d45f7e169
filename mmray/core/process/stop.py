"""Stopping a command: Ctrl-C, SIGTERM and a closed terminal have the same effect."""

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
"""A signal within this time of the first belongs to the same stop: ``timeout`` sends two."""


@dataclass
class _Stop:
    """The signal that ends this process, if there was one."""

    number: int = 0
    received_s: float = field(default=0.0)

    def receive(self, number: int, _: FrameType | None) -> None:
        """Raise a KeyboardInterrupt; a later second signal ends the process at once."""
        if not self.number:
            self.number, self.received_s = number, time.monotonic()
            raise KeyboardInterrupt
        if time.monotonic() - self.received_s > AGAIN_S:
            os._exit(exit_code())


_stop = _Stop()


def is_stopping() -> bool:
    """Return whether this process was asked to end."""
    return bool(_stop.number)


def exit_code() -> int:
    """Return the exit code of a stopped process."""
    return 128 + (_stop.number or signal.SIGINT)


@contextmanager
def stoppable() -> Generator[None]:
    """Let each signal raise a KeyboardInterrupt in the block.

    Signals that are ignored already stay ignored, as with ``nohup``. After a stop the handlers
    stay, because ending the process takes a while.
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
    """Restore the signal handlers after the block; Ray replaces some of them."""
    before = _meanings()
    try:
        yield
    finally:
        _give(before)


def _meanings() -> dict[signal.Signals, Any]:
    """Return the signal handlers; only the main thread may replace them."""
    if threading.current_thread() is not threading.main_thread():
        return {}
    return {number: signal.getsignal(number) for number in SIGNALS}


def _give(meanings: dict[signal.Signals, Any]) -> None:
    for number, meaning in meanings.items():
        if meaning is not None:  # by code that is not Python's
            signal.signal(number, meaning)


@contextmanager
def resumable() -> Generator[None]:
    """Add to a stop in the block that the same command resumes."""
    try:
        yield
    except KeyboardInterrupt as stop:
        stop.add_note("run the same command to resume")
        raise


def describe_stop(stop: KeyboardInterrupt) -> str:
    """Return the line about the progress of a stopped command, from the notes of its parts."""
    line = "stopped"
    for note in getattr(stop, "__notes__", ()):
        line += f" {note}" if note.startswith(("after", "before")) else f"; {note}"
    return line
