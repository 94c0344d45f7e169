"""The runs of a search in the tracking store: its own, and one for each trial."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmray.config.document import Config
from mmray.core.file.csv_table import write_csv
from mmray.core.text.secret import masked_document
from mmray.search.record import TrialRecord
from mmray.search.sample import overrides_of
from mmray.search.table import best_trial, parameter_names, trial_rows
from mmray.search.view.description import describe_search
from mmray.search.view.heading import SearchHeading
from mmray.search.view.page import write_page
from mmray.search.view.search_view import SearchView, read_view
from mmray.stages.searching.trial import trial_name
from mmray.tracking.tracker import Run, Tracker

TABLE = "trials.csv"
FIGURES = ("epochs", "seconds", "parameters", "latency_ms", "reason")


class SearchRuns:
    """Logs trials as they train; a trial's run lasts as long as its epochs."""

    def __init__(
        self,
        tracker: Tracker,
        config: Config,
        heading: SearchHeading,
        earlier: Sequence[TrialRecord] = (),
    ) -> None:
        """Begin with the trials that earlier processes of the same search have trained."""
        self._tracker = tracker
        self._config = config
        self._heading = heading
        self._trials = {trial.number: trial for trial in earlier}
        self._open: set[int] = set()

    def epoch(self, trial: TrialRecord, metrics: Mapping[str, float]) -> None:
        """Log an epoch of a trial on its run."""
        run = self._run(trial)
        run.log_metrics(metrics, step=trial.epochs)
        run.spent(trial.seconds)

    def change(self, trial: TrialRecord) -> None:
        """Note that a trial has begun or ended; close the run of one that ended."""
        self._trials[trial.number] = trial
        if trial.state == "running":
            return
        run = self._run(trial)
        run.log_tags({"state": trial.state} | ({"reason": trial.reason} if trial.reason else {}))
        run.log_metrics(self._result(trial))
        run.spent(trial.seconds)
        run.end("FAILED" if trial.state == "failed" else "FINISHED")
        self._log_best()

    def _run(self, trial: TrialRecord) -> Run:
        run = self._tracker.child(trial_name(trial.number, trial.sample), started=trial.started)
        if trial.number not in self._open:
            self._open.add(trial.number)
            run.log_params(overrides_of(self._config, trial.sample))
            run.log_tags({"trial": str(trial.number), "state": "running"})
        return run

    def _result(self, trial: TrialRecord) -> dict[str, float]:
        named = zip(self._heading.objectives, trial.values, strict=False)
        found = {f"best/{objective.metric}": value for objective, value in named}
        found |= {"epochs": trial.epochs, "seconds": trial.seconds}
        costs = {"parameters": trial.parameters, "latency_ms": trial.latency_ms}
        return found | {name: value for name, value in costs.items() if value is not None}

    def _log_best(self) -> None:
        """Log the best value so far on the run of the search, over the number of ended trials."""
        ended = [trial for trial in self._trials.values() if trial.state != "running"]
        best = best_trial(ended, self._heading.objectives)
        if best is not None:
            name = f"search/best/{self._heading.objectives[0].metric}"
            self._tracker.parent().log_metrics({name: best.values[0]}, step=len(ended))


def deliver_view(tracker: Tracker, folder: Path, *, found: Sequence[str] = ()) -> None:
    """Write page, plots and table of a search, and keep them with its run.

    ``found`` are sentences about the search, which come first in the description.
    """
    view = read_view(folder)
    assert view is not None  # the search has written it
    page, *plots = write_page(view, folder, found=found)
    _write_table(folder / TABLE, view)
    parent = tracker.parent()
    parent.log_file(page)
    parent.log_file(folder / TABLE, folder="tables")
    for plot in plots:
        parent.log_file(plot, folder="plots")
    parent.describe(describe_search(view, found=found), section="search")


def _write_table(path: Path, view: SearchView) -> None:
    """Write a row per trial, best first, with a column for each parameter."""
    objectives = view.heading.objectives
    rows: list[dict[str, Any]] = [
        row | row["values"] | {name: str(value) for name, value in row["sample"].items()}
        for row in masked_document(trial_rows(view.trials, objectives))
    ]
    metrics = [objective.metric for objective in objectives]
    names = parameter_names(trial.sample for trial in view.trials)
    columns = dict.fromkeys(["trial", *metrics, "state", *names, *FIGURES])
    write_csv(path, rows, columns)
