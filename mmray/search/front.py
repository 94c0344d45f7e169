"""Several objectives: which trials no other trial beats in all of them."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from mmray.config.training.train import ObjectiveConfig
from mmray.search.record import TrialRecord


def pareto_front(
    trials: Sequence[TrialRecord], objectives: Sequence[ObjectiveConfig]
) -> list[TrialRecord]:
    """Return the trials of the Pareto front, the best in the first objective first."""
    layers = front_layers(trials, objectives)
    return layers[0] if layers else []


def front_layers(
    trials: Sequence[TrialRecord], objectives: Sequence[ObjectiveConfig]
) -> list[list[TrialRecord]]:
    """Return the front, the front of the trials behind it, and so on, each in order.

    Failed trials and those without values are left out. Of one objective, trials of equal value
    share a layer.
    """
    rest = sorted(
        (trial for trial in trials if trial.values and trial.state != "failed"),
        key=lambda trial: (*costs(trial, objectives), trial.number),
    )
    of_all = np.array([costs(trial, objectives) for trial in rest])  # (N, K)
    beats: Any = (of_all[:, None] <= of_all[None]).all(-1) & (of_all[:, None] < of_all[None]).any(
        -1
    )
    left, layers = np.ones(len(rest), dtype=bool), list[list[TrialRecord]]()
    while left.any():
        layer = left & ~beats[left].any(axis=0)  # (N)
        layers.append([rest[index] for index in layer.nonzero()[0]])
        left &= ~layer
    return layers


def costs(trial: TrialRecord, objectives: Sequence[ObjectiveConfig]) -> tuple[float, ...]:
    """Return the values with the sign by which smaller ones are better."""
    return tuple(
        value if objective.direction == "min" else -value
        for value, objective in zip(trial.values, objectives, strict=True)
    )
