"""Stages run one after the other, as a verb or as a program."""

import logging
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TextIO

import typer

from mmray.cli.console import kept_stdout, shown
from mmray.cli.verb import DocumentCall, document_verb
from mmray.core.process.stop import resumable
from mmray.core.report import Report
from mmray.core.text.printable import printable_json
from mmray.display.closing import closing_lines
from mmray.display.terminal import duration, show, terminal

if TYPE_CHECKING:
    from mmray.config.document import Config
    from mmray.stages.workspace import Workspace

logger = logging.getLogger(__name__)
Stage = Callable[["Workspace", Any], Report]


def run_stages(config: "Config", stages: Sequence[Stage]) -> list[Report]:
    """Run stages in order with one tracker; each prints its findings when it ends.

    The workspace is locked against other commands meanwhile.
    """
    # Here and not above: a wrong key must be answered before anything else is loaded.
    from mmray.stages.training.workers import TrainingWorkers
    from mmray.stages.workspace import Workspace, working_in
    from mmray.tracking.open import tracking

    reports: list[Report] = []
    started = time.monotonic()
    with (
        resumable(),
        working_in(config),
        tracking(config, defers=len(stages) > 1) as tracker,
        TrainingWorkers() as workers,
    ):
        workspace = Workspace(config, workers=workers)
        for stage in stages:
            report = stage(workspace, tracker)
            say_report(report)
            reports.append(report)
    if len(reports) > 1:
        for line in closing_lines(reports, time.monotonic() - started):
            show(shown(line))
    return reports


def say_report(report: Report) -> None:
    """Print a stage's outcome on standard error."""
    state = "skipped, complete" if report.skipped else duration(report.seconds)
    if logger.isEnabledFor(logging.DEBUG):
        state += f", {report.fingerprint}"
    terminal().print(f"[bold]{report.stage}[/bold] ({state})")
    for sentence in report.found:
        show(f"  {shown(sentence)}")


def print_reports(reports: Sequence[Report], call: DocumentCall, stdout: TextIO) -> None:
    """Print the outcome: one JSON document, or the next step."""
    if call.as_json:
        documents = [report.to_dict() for report in reports]
        last = documents[-1]
        body = last if len(documents) == 1 else last | {"stages": documents}
        typer.echo(printable_json(body, indent=2), file=stdout)
        return
    typer.echo(shown(f"next: {reports[-1].next_step}", call.path), file=stdout)


def stages_verb(load_stages: Callable[[], Sequence[Stage]]) -> Callable[..., None]:
    """Return the command that runs these stages on a document, loaded after its check."""

    @document_verb()
    def command(call: DocumentCall) -> None:
        run_and_print(call, load_stages())

    return command


def run_and_print(call: DocumentCall, stages: Sequence[Stage]) -> None:
    """Run stages and print the outcome; nothing else goes to standard output."""
    with kept_stdout() as stdout:
        print_reports(run_stages(call.config, stages), call, stdout)


def run_workflow(stages: Sequence[Stage]) -> None:
    """Run a workflow's file as a program."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    app.command()(stages_verb(lambda: stages))
    app()
