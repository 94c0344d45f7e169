"""The terminal as one console: log lines above, a live display below."""

import functools
import logging
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

logger = logging.getLogger(__name__)


@functools.cache
def terminal() -> Console:
    """Return the console on standard error.

    A terminal is written through its own descriptor, because standard error is redirected to a file
    while Ray starts.
    """
    if not sys.stderr.isatty():
        return Console(stderr=True, highlight=False, soft_wrap=True)
    copy = os.fdopen(os.dup(sys.stderr.fileno()), "w", encoding="utf-8", errors="replace")
    return Console(file=copy, highlight=False, soft_wrap=True)


def is_live() -> bool:
    """Return whether progress is drawn instead of logged: at a terminal, unless quiet."""
    return terminal().is_terminal and logger.isEnabledFor(logging.INFO)


@contextmanager
def waiting(what: str, *, usually: str) -> Generator[None]:
    """Show what the block waits for, and how long that usually takes."""
    line = f"{what} (usually {usually})"
    if not is_live():
        logger.info("%s", line)
        yield
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(
        *columns, console=terminal(), transient=True, refresh_per_second=4, redirect_stdout=False
    ) as spinner:
        spinner.add_task(line, total=None)
        yield


def duration(seconds: float) -> str:
    """Return a time for people."""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
