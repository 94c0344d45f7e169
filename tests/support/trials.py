"""Trials of a search, made by hand."""

from typing import Any

from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.trial import FrozenTrial, create_trial

from mmray.config.training.train import ObjectiveConfig
from mmray.search.importance import importances
from mmray.search.record import TrialRecord, TrialState
from mmray.search.view.heading import SearchHeading
from mmray.search.view.search_view import SearchView

ACCURACY = ObjectiveConfig(metric="val/digit/accuracy")
LOSS = ObjectiveConfig(metric="val/loss")
SIZE = ObjectiveConfig(metric="parameters", mode="min")
SPACE = {
    "train.lr": FloatDistribution(1e-4, 1e-1, log=True),
    "model.fusion": CategoricalDistribution(["concat", "attention"]),
    "model.fusion.attention.heads": CategoricalDistribution([2, 4]),
}


def trial(
    number: int,
    *values: float,
    state: TrialState = "complete",
    epochs: int = 8,
    reason: str = "",
    **sample: Any,
) -> TrialRecord:
    """Return a trial; two underlines in the name of a setting are a dot."""
    return TrialRecord(
        number=number,
        sample={name.replace("__", "."): value for name, value in sample.items()},
        state=state,
        values=values,
        epochs=epochs,
        seconds=1.5 * epochs,
        reason=reason,
        started=1000.0 + number,
        folder=f"trials/{number}",
        parameters=1000 * number,
        latency_ms=None,
    )


def drawn(*trials: TrialRecord) -> dict[int, FrozenTrial]:
    """Return the trials as Optuna has them."""
    return {
        each.number: create_trial(
            params=dict(each.sample),
            distributions={name: SPACE[name] for name in each.sample},
            values=[0.0],
        )
        for each in trials
    }


def view(
    *trials: TrialRecord, objectives: tuple[ObjectiveConfig, ...] = (ACCURACY,), **heading: Any
):
    """Return a search of these trials."""
    settings = {"name": "digits", "epochs": 8, "trials": 24, "minutes": None} | heading
    found, known = importances(trials, drawn(*trials), objectives), drawn(*trials)
    return SearchView(SearchHeading(objectives=objectives, **settings), trials, known, found)
