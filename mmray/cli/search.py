"""The verb of the search: the stage, with its budget."""

from typing import Annotated

import typer

from mmray.cli.verb import DocumentCall, document_verb
from mmray.cli.workflow import run_and_print

BUDGET = {"trials": "search.trials", "minutes": "search.minutes"}


@document_verb(settings=BUDGET)
def search(
    call: DocumentCall,
    trials: Annotated[
        int | None, typer.Option(help="Number of trials at most; replaces search.trials.")
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(help="Minutes at most; replaces search.minutes.")
    ] = None,
) -> None:
    """Run the stage; the budget is in the document by now."""
    from mmray.stages.search import run

    run_and_print(call, [run])
