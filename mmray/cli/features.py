"""The verbs of the feature store: extract, and those that inspect and clean it."""

from contextlib import nullcontext
from functools import partial
from typing import Annotated

import typer

from mmray.cli.verb import DocumentCall, document_verb
from mmray.cli.workflow import run_and_print

features_app = typer.Typer(
    help="List, describe, verify and clean features.",
    no_args_is_help=True,
)


@document_verb()
def extract(
    call: DocumentCall,
    only_plan: Annotated[
        bool, typer.Option("--plan", help="Show what would be computed and why; start nothing.")
    ] = False,
    refit: Annotated[
        bool, typer.Option("--refit", help="Fit vocabularies and scales again.")
    ] = False,
    retry: Annotated[bool, typer.Option("--retry", help="Try rejected payloads again.")] = False,
) -> None:
    """Run the stage, or report what it would do."""
    if only_plan:
        from mmray.inspection.extraction_plan import plan

        call.print_report(plan(call.config, refit=refit, retry=retry))
        return
    from mmray.stages.extract import run

    run_and_print(call, [partial(run, refit=refit, retry=retry)])


@features_app.command("ls")
@document_verb()
def ls(call: DocumentCall) -> None:
    """List every modality's feature folders. Current and stale."""
    from mmray.inspection.features.listing import list_folders

    call.print_report(list_folders(call.config))


@features_app.command()
@document_verb()
def show(
    call: DocumentCall,
    modality: Annotated[str, typer.Argument(help="Name of a modality of the document.")],
) -> None:
    """Describe one modality's current features. Settings, counts, statistics, files."""
    from mmray.inspection.features.description import show_modality

    call.print_report(show_modality(call.config, modality))


@features_app.command()
@document_verb()
def verify(call: DocumentCall) -> None:
    """Check that stored features are intact. Reads each one; compares digest, spec and index."""
    from mmray.inspection.features.verify import PROBLEMS, verify_features

    report = verify_features(call.config)
    call.print_report(report)
    if report.counts["problems"]:
        raise typer.Exit(PROBLEMS)


@features_app.command()
@document_verb()
def gc(
    call: DocumentCall,
    yes: Annotated[
        bool, typer.Option("--yes", help="Remove the files; without it they are only listed.")
    ] = False,
) -> None:
    """Remove features that this document does not use."""
    from mmray.inspection.features.garbage import collect
    from mmray.stages.workspace import working_in

    with working_in(call.config) if yes else nullcontext():
        report = collect(call.config, remove=yes)
    call.print_report(report)
