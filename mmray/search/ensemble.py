"""Greedy ensemble selection with replacement (Caruana et al. 2004). Axes: K models, N samples.

An ensemble is a weighted mean of what models predict. It is selected on val, and worth what it
reaches on test: with many models and few samples, part of its gain on val is luck.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
ROUNDS = 50
"""Models that are added at most, each as often as it helps; their counts are the weights."""


@dataclass(frozen=True, slots=True)
class Ensemble:
    """Models in the order in which they were added, some of them several times."""

    members: tuple[int, ...]
    """Numbers from 0; the first one is the best model."""
    score: float
    """Of the mean of what they predict, on the samples that selected them."""

    @property
    def weights(self) -> dict[int, float]:
        """The weight of each model, the heaviest first; they add up to one."""
        counted = Counter(self.members).most_common()
        return {model: count / len(self.members) for model, count in counted}


def select_ensemble(
    predictions: Sequence[Array], score: Callable[[Array], float], *, most: int
) -> Ensemble:
    """Select the ensemble of ``most`` different models at most whose mean scores best.

    Args:
        predictions: (K) arrays (N, ...) of decoded outputs for the same samples.
        score: what the mean of predictions is worth; more is better.
        most: number of different models, as each of them has to be kept and run.

    It starts with the best model, and adds the one that makes the mean best, also where none makes
    it better: another may then. Of models that make it equally good, the one that was added least
    is taken, then the first. The shortest of all ensembles that score best is returned.
    """
    members: list[int] = []
    total: Array = np.zeros_like(predictions[0], dtype=np.float64)
    best = Ensemble((), -np.inf)
    for _ in range(ROUNDS):
        allowed = range(len(predictions)) if len(set(members)) < most else sorted(set(members))
        size = len(members) + 1
        scores = {model: score((total + predictions[model]) / size) for model in allowed}
        added = max(scores, key=lambda model: (scores[model], -members.count(model), -model))
        members.append(added)
        total += predictions[added]
        if scores[added] > best.score:
            best = Ensemble(tuple(members), scores[added])
    return best
