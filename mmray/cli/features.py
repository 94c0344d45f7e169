"""The verbs of the feature store: extract, and those that inspect and clean it."""

from collections.abc import Generator
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from mmray.cli.console import (
    AsJson,
    ConfigPath,
    Debug,
    Overrides,
    Quiet,
    Verbose,
    kept_stdout,
    print_reports,
    run_stages,
    say,
    set_up_logging,
    user_errors,
)
from mmray.config.document import Config
from mmray.config.reading.load import load_config
from mmray.core.report import Report
from mmray.core.text.printable import printable_json

features_app = typer.Typer(
    help="List, describe, verify and clean features.",
    no_args_is_help=True,
)


def extract(  # noqa: PLR0913
    config: ConfigPath,
    overrides: Overrides = None,
    only_plan: Annotated[
        bool, typer.Option("--plan", help="Show what would be computed and why; start nothing.")
    ] = False,
    refit: Annotated[
        bool, typer.Option("--refit", help="Fit vocabularies and scales again.")
    ] = False,
    retry: Annotated[bool, typer.Option("--retry", help="Try rejected payloads again.")] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    debug: Debug = False,
) -> None:
    """Run the stage, or report what it would do."""
    with user_errors(debug=debug, config=config):
        loaded = load_config(config, overrides or ())
        set_up_logging(quiet=quiet, verbose=verbose)
        if only_plan:
            from mmray.inspection.extraction_plan import plan

            _print(plan(loaded, refit=refit, retry=retry), config, as_json=as_json)
            return
        from mmray.stages.extract import run

        with kept_stdout() as stdout:
            reports = run_stages(loaded, [partial(run, refit=refit, retry=retry)])
            print_reports(reports, as_json=as_json, config_path=config, stdout=stdout)


@features_app.command("ls")
def ls(
    config: ConfigPath,
    overrides: Overrides = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    debug: Debug = False,
) -> None:
    """List the feature folders of every modality, current and stale."""
    with _document(config, overrides, (quiet, verbose, debug)) as loaded:
        from mmray.inspection.features.listing import list_folders

        _print(list_folders(loaded), config, as_json=as_json)


@features_app.command()
def show(  # noqa: PLR0913
    config: ConfigPath,
    modality: Annotated[str, typer.Argument(help="Name of a modality of the document.")],
    overrides: Overrides = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    debug: Debug = False,
) -> None:
    """Describe one modality's current features: settings, counts, statistics, files."""
    with _document(config, overrides, (quiet, verbose, debug)) as loaded:
        from mmray.inspection.features.description import show_modality

        _print(show_modality(loaded, modality), config, as_json=as_json)


@features_app.command()
def verify(
    config: ConfigPath,
    overrides: Overrides = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    debug: Debug = False,
) -> None:
    """Read every stored feature and compare it with its digest, its spec and the index."""
    with _document(config, overrides, (quiet, verbose, debug)) as loaded:
        from mmray.inspection.features.verify import PROBLEMS, verify_features

        report = verify_features(loaded)
        _print(report, config, as_json=as_json)
        if report.counts["problems"]:
            raise typer.Exit(PROBLEMS)


@features_app.command()
def gc(  # noqa: PLR0913
    config: ConfigPath,
    overrides: Overrides = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Remove the files; without it they are only listed.")
    ] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    debug: Debug = False,
) -> None:
    """Remove features that this document does not use."""
    with _document(config, overrides, (quiet, verbose, debug)) as loaded:
        from mmray.inspection.features.garbage import collect
        from mmray.stages.workspace import working_in

        with working_in(loaded) if yes else nullcontext():
            report = collect(loaded, remove=yes)
        _print(report, config, as_json=as_json)


@contextmanager
def _document(
    config: Path, overrides: list[str] | None, flags: tuple[bool, bool, bool]
) -> Generator[Config]:
    quiet, verbose, debug = flags
    with user_errors(debug=debug, config=config):
        loaded = load_config(config, overrides or ())
        set_up_logging(quiet=quiet, verbose=verbose)
        yield loaded


def _print(report: Report, config: Path, *, as_json: bool) -> None:
    if as_json:
        typer.echo(printable_json(report.to_dict(), indent=2))
        return
    for sentence in report.found:
        say(sentence, config)
    if report.next_step:
        say(f"next: {report.next_step}", config)
