"""The terminal: shared options, output, and exit codes.

The report goes to standard output; progress, warnings and errors go to standard error.
"""

import atexit
import logging
import os
import re
import shlex
import sys
import time
import traceback
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from mmray.config.document import Config
from mmray.config.reading.load import load_config
from mmray.core.file.disk import to_disk_error
from mmray.core.process.stop import describe_stop, exit_code, resumable, stoppable
from mmray.core.report import Report
from mmray.core.text.printable import printable, printable_json
from mmray.core.text.secret import masked
from mmray.display.closing import closing_lines
from mmray.display.terminal import duration, terminal
from mmray.errors import MMRayError

if TYPE_CHECKING:
    from mmray.stages.workspace import Workspace

logger = logging.getLogger(__name__)
Stage = Callable[["Workspace", Any], Report]

ConfigPath = Annotated[
    Path, typer.Argument(metavar="CONFIG", help="YAML document, e.g. workflows/configs/local.yaml")
]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Replace dotted.key; repeatable; the value is YAML."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the report as one JSON document.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Only warnings and the report.")]
Verbose = Annotated[
    bool, typer.Option("--verbose", "-v", help="All log lines, libraries included.")
]
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_COMMAND = re.compile(r"\b(mmray(?: \w+)+|[\w/]+\.py) CONFIG\b")
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]


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
    """Print text after making it safe for a terminal."""
    typer.echo(shown(text, config), err=err)


def _show_bug(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    sys.stderr.write(shown("".join(traceback.format_exception(kind, error, trace))))


class _AboveProgress(logging.Handler):
    """Writes lines above the live display of a terminal; the terminal breaks long ones."""

    def emit(self, record: logging.LogRecord) -> None:
        style = "yellow" if record.levelno >= logging.WARNING else None
        terminal().print(self.format(record), style=style, markup=False, soft_wrap=True)


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


def run_stages(config: Config, stages: Sequence[Stage]) -> list[Report]:
    """Run stages in order with one tracker; each prints its findings when it ends.

    The workspace is locked against other commands meanwhile.
    """
    # Here and not above: a wrong key must be answered before anything else is loaded.
    from mmray.stages.workspace import Workspace, working_in
    from mmray.tracking.open import tracking

    reports: list[Report] = []
    started = time.monotonic()
    with resumable(), working_in(config), tracking(config) as tracker:
        workspace = Workspace(config)
        for stage in stages:
            report = stage(workspace, tracker)
            say_report(report)
            reports.append(report)
    if len(reports) > 1:
        for line in closing_lines(reports, time.monotonic() - started):
            terminal().print(shown(line), markup=False)
    return reports


def say_report(report: Report) -> None:
    """Print a stage's outcome on standard error."""
    state = "skipped, complete" if report.skipped else duration(report.seconds)
    if logger.isEnabledFor(logging.DEBUG):
        state += f", {report.fingerprint}"
    terminal().print(f"[bold]{report.stage}[/bold] ({state})")
    for sentence in report.found:
        terminal().print(f"  {shown(sentence)}", markup=False)


@contextmanager
def kept_stdout() -> Generator[TextIO]:
    """Yield standard output; other output in this block goes to standard error.

    Ray reports lost processes on standard output at any time, even at exit.
    """
    stdout = sys.stdout
    with redirect_stdout(sys.stderr):
        yield stdout
    atexit.register(setattr, sys, "stdout", sys.__stderr__)  # runs before Ray says its last words


def print_reports(
    reports: Sequence[Report], *, as_json: bool, config_path: Path, stdout: TextIO
) -> None:
    """Print the outcome: one JSON document, or the next step."""
    if as_json:
        documents = [report.to_dict() for report in reports]
        last = documents[-1]
        body = last if len(documents) == 1 else last | {"stages": documents}
        typer.echo(printable_json(body, indent=2), file=stdout)
        return
    typer.echo(shown(f"next: {reports[-1].next_step}", config_path), file=stdout)


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


def workflow_command(load_stages: Callable[[], Sequence[Stage]]) -> Callable[..., None]:
    """Return the command that runs these stages on a document, loaded after its check."""

    def command(
        config: ConfigPath,
        overrides: Overrides = None,
        as_json: AsJson = False,
        quiet: Quiet = False,
        verbose: Verbose = False,
        debug: Debug = False,
    ) -> None:
        with user_errors(debug=debug, config=config), kept_stdout() as stdout:
            loaded = load_config(config, overrides or ())
            set_up_logging(quiet=quiet, verbose=verbose)
            reports = run_stages(loaded, load_stages())
            print_reports(reports, as_json=as_json, config_path=config, stdout=stdout)

    return command


def run_workflow(stages: Sequence[Stage]) -> None:
    """Run a workflow's file as a program."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    app.command()(workflow_command(lambda: stages))
    app()
