"""The terminal: the log, what may be printed, and how an error ends a command.

The report goes to standard output; progress, warnings and errors go to standard error.
"""

import atexit
import logging
import os
import re
import shlex
import shutil
import sys
import traceback
from collections.abc import Generator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from types import TracebackType
from typing import TextIO

import typer

from mmray.core.file.disk import to_disk_error
from mmray.core.process.stop import describe_stop, exit_code, stoppable
from mmray.core.text.printable import printable
from mmray.core.text.secret import masked
from mmray.display.terminal import fitted, show, terminal
from mmray.errors import MMRayError

logger = logging.getLogger(__name__)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_COMMAND = re.compile(r"\b(mmray(?: \w+)+|[\w/]+\.py) CONFIG\b")


def set_up_logging(*, quiet: bool, verbose: bool) -> None:
    """Send mmray's log lines to standard error, and the libraries' only when they warn."""
    set_up_process()
    sys.excepthook = _show_bug
    level = logging.WARNING if quiet else logging.INFO
    if terminal().is_terminal:
        handler: logging.Handler = _AboveProgress()
        handler.setFormatter(logging.Formatter("%(message)s"))
    else:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    handler.addFilter(_make_harmless)
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING, handlers=[handler], force=True
    )
    logging.getLogger("mmray").setLevel(logging.DEBUG if verbose else level)
    if not verbose:
        logging.getLogger("alembic").setLevel(logging.ERROR)
        os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
        os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")


def shown(text: str, config: Path | None = None) -> str:
    """Return text that is safe for a terminal: no control sequences, no secrets.

    ``config`` is the path of the document, which replaces CONFIG in commands.
    """
    if config is not None:
        text = _COMMAND.sub(lambda found: f"{found[1]} {shlex.quote(str(config))}", text)
    return printable(masked(text))


def say(text: str, config: Path | None = None, *, err: bool = False) -> None:
    """Print text after making it safe for a terminal; at one, lines break between words."""
    text = shown(text, config)
    if (sys.stderr if err else sys.stdout).isatty():
        text = fitted(text, shutil.get_terminal_size().columns)
    typer.echo(text, err=err)


def _show_bug(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    sys.stderr.write(shown("".join(traceback.format_exception(kind, error, trace))))


class _AboveProgress(logging.Handler):
    """Writes lines above the live display of a terminal; long ones break between words."""

    def emit(self, record: logging.LogRecord) -> None:
        style = "yellow" if record.levelno >= logging.WARNING else None
        show(self.format(record), style=style)


def _make_harmless(record: logging.LogRecord) -> bool:
    text = record.getMessage()
    if not record.name.startswith("mmray"):
        text = _COLOUR.sub("", text)  # Ray writes in colours; nothing of a corpus is in that
    record.msg, record.args = shown(text), ()
    return True


def set_up_process() -> None:
    """Set variables that torch and Arrow read when loaded; children inherit them."""
    # Waiting threads that spin slow down everything else on a machine with few cores.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    # Arrow's own allocators keep what they freed: a sixth of what a large corpus takes here.
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")


@contextmanager
def kept_stdout() -> Generator[TextIO]:
    """Yield standard output; other output in this block goes to standard error.

    Ray reports lost processes on standard output at any time, even at exit.
    """
    stdout = sys.stdout
    with redirect_stdout(sys.stderr):
        yield stdout
    atexit.register(setattr, sys, "stdout", sys.__stderr__)  # runs before Ray says its last words


@contextmanager
def user_errors(*, debug: bool = False, config: Path | None = None) -> Generator[None]:
    """Turn mmray's errors and a stop into a message and an exit code; a bug keeps its traceback."""
    try:
        with stoppable():
            yield
    except (MMRayError, OSError) as error:
        own = to_disk_error(error) if isinstance(error, OSError) else error
        if debug or own is None:
            raise
        say(f"error: {own}", config, err=True)
        raise typer.Exit(own.exit_code) from None
    except KeyboardInterrupt as stop:
        typer.echo(describe_stop(stop), err=True)
        raise typer.Exit(exit_code()) from None
