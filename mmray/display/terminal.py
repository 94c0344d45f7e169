"""The terminal as one console: log lines above, a live display below."""

import functools
import logging
import os
import re
import sys
from collections.abc import Generator
from contextlib import contextmanager

from rich.cells import cell_len
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

_COMMAND = r"'mmray [^']*'\S*|next: .*"
_NAME = r"'[^']{1,40}'(?: [\d(]\S*|\S*)"
_FIGURE = r"[-+]?\d[\d.]* (?:\[[^]]*\]|[a-z%])\S*"
_LIST = r"\S*\[[^][]{1,40}\]\S*"
_WORD = re.compile(rf"( *)({_COMMAND}|{_NAME}|{_FIGURE}|{_LIST}|\S+)")
"""What stays on one line, after its blanks: a command that a reader copies, a name with its
figures, a figure with its interval or unit, a short list in brackets, and any other word."""

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


def show(text: str, *, style: str | None = None) -> None:
    """Print text on standard error; at a terminal, its lines break between words."""
    console = terminal()
    text = fitted(text, console.width) if console.is_terminal else text
    console.print(text, style=style, markup=False)


def fitted(text: str, width: int) -> str:
    """Break the lines of ``text`` between words, so that none takes more than ``width`` cells.

    Further lines are indented by two more cells than the first one. A command, a path or another
    word that is longer than ``width`` stays on a line of its own. The columns of a table stay.
    """
    return "\n".join(_fitted_line(line, width) for line in text.split("\n"))


def _fitted_line(line: str, width: int) -> str:
    if cell_len(line) <= width:
        return line
    indent = " " * (len(line) - len(line.lstrip(" ")))
    rows = [""]
    for blanks, word in _WORD.findall(line):
        if not rows[-1] or cell_len(rows[-1] + blanks + word) <= width:
            rows[-1] += blanks + word
        else:
            rows.append(f"{indent}  {word}")
    return "\n".join(rows)


def duration(seconds: float) -> str:
    """Return a time for people."""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
