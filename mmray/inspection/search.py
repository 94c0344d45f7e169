"""What there is of a document's search, read while it runs too."""

import time
from functools import partial
from pathlib import Path
from typing import Any

from mmray.config.document import Config
from mmray.core.file.atomic import read_complete
from mmray.core.process.lock import WORKSPACE_LOCK, holder_of
from mmray.core.report import Report
from mmray.core.text.secret import masked_document
from mmray.search.sample import overrides_of
from mmray.search.study import JOURNAL
from mmray.search.table import Overrides, table_lines, trial_rows
from mmray.search.view.page import PAGE
from mmray.search.view.search_view import SearchView, read_view
from mmray.search.view.sentence import counts_sentence, headline, importance_sentences
from mmray.stages.search import STAGE, search_of
from mmray.stages.workspace import Workspace

MOST_ROWS = 30
"""Trials in the table at a terminal; ``--json`` has all."""


def show_search(config: Config) -> Report:
    """Return table, best, importances and state of a search; starts nothing, waits for nobody.

    Where this document's search has not begun, that of the workspace which changed last is shown.
    """
    document, folder = search_of(Workspace(config))
    if (folder / JOURNAL).is_file():
        return describe_search_folder(folder, partial(overrides_of, document))
    others = sorted(
        folder.parent.glob(f"*/{JOURNAL}"), key=lambda path: (path.stat().st_mtime, path)
    )
    if others:
        return describe_search_folder(others[-1].parent, None)
    return describe_search_folder(folder, None)


def describe_search_folder(folder: Path, overrides: Overrides | None) -> Report:
    """Return what the folder of a search holds; ``overrides`` is None for another search's."""
    started = time.monotonic()
    view, marker = read_view(folder), read_complete(folder)
    if view is None:
        return Report(
            stage=STAGE, fingerprint=folder.name, folder=str(folder), seconds=0.0,
            counts={"state": "not started", "trials": []},
            found=("nothing has been searched yet for this document and corpus",),
            next_step="mmray search CONFIG",
        )  # fmt: skip
    state, sentence = _state(folder.parents[1], is_complete=marker is not None)
    conclusions: list[str] = marker["report"]["found"] if marker else []
    other = "the search of other settings that changed last; this document's has not begun"
    return Report(
        stage=STAGE,
        fingerprint=folder.name,
        folder=str(folder),
        seconds=round(time.monotonic() - started, 2),
        counts={"state": state, "trials": _rows(view, overrides)},
        metrics={"importances": {one.name: one.share for one in view.importances.parameters}},
        found=(
            *([] if overrides else [other]),
            *(conclusions or headline(view.trials, view.heading.objectives)),
            *_sentences(view),
            sentence,
            *([f"page: {folder / PAGE}"] if (folder / PAGE).is_file() else []),
        ),
        next_step="" if overrides and state != "stopped" else "mmray search CONFIG",
    )


def _state(workspace: Path, *, is_complete: bool) -> tuple[str, str]:
    if is_complete:
        return "complete", "state: complete"
    holder = holder_of(workspace / WORKSPACE_LOCK)
    if holder is not None:
        return "running", f"state: running; at work in this workspace is {holder.describe()}"
    return "stopped", "state: stopped before its end; the same command resumes it"


def _sentences(view: SearchView) -> list[str]:
    objectives = view.heading.objectives
    return [
        *importance_sentences(view.importances),
        *table_lines(view.trials, objectives, limit=MOST_ROWS),
        counts_sentence(view.trials, view.heading),
    ]


def _rows(view: SearchView, overrides: Overrides | None) -> list[dict[str, Any]]:
    return masked_document(trial_rows(view.trials, view.heading.objectives, overrides))
