"""The verb of the search: the stage, with its budget."""

from typing import Annotated

import typer

from mmray.cli.verb import DocumentCall, document_verb
from mmray.cli.workflow import run_and_print

BUDGET = {"trials": "search.trials", "minutes": "search.minutes"}


@document_verb(settings=BUDGET)
def search_verb(
    call: DocumentCall,
    trials: Annotated[
        int | None, typer.Option(help="Number of trials at most; replaces search.trials.")
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(help="Minutes at most; replaces search.minutes.")
    ] = None,
    show: Annotated[
        bool,
        typer.Option("--show", help="Print what there is of the search, also while it runs."),
    ] = False,
) -> None:
    """Run the search and the stages before it, or print what it has found.

    The budget is in the document by now.
    """
    if show:
        from mmray.inspection.search import show_search

        call.print_report(show_search(call.config))
        return
    from mmray.stages import extract, prepare, search

    run_and_print(call, [prepare.run, extract.run, search.run])
