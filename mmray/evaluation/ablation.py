"""A model with some of its modalities only. Axes: M modalities."""

import math
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

from mmray.config.document import EvaluationConfig
from mmray.config.task.metric import Metric
from mmray.evaluation.comparison import summarise
from mmray.evaluation.evaluate import EvaluationResult

Subset = tuple[str, ...]
"""Modalities in M-axis order."""

MAX_MODALITIES = 5
"""With more there would be more than 32 subsets."""
NOTHING = "nothing"


def subsets_of(modalities: Sequence[str]) -> list[Subset]:
    """Return all subsets, the largest first and none at all last."""
    count = len(modalities)
    return [subset for size in range(count, -1, -1) for subset in combinations(modalities, size)]


def subset_name(subset: Subset) -> str:
    """Return the name of a subset in tables: ``text-image``."""
    return "-".join(subset) or NOTHING


def shapley_values(values: Mapping[str, float], modalities: Sequence[str]) -> dict[str, float]:
    """Return what each modality adds, averaged over all orders in which they can be added.

    phi_m = sum over S without m of |S|! (M - |S| - 1)! / M! (v(S with m) - v(S)) (Shapley 1953).
    They sum to the value with all minus that with nothing. ``values`` are by `subset_name`.
    """
    count = len(modalities)
    found = dict.fromkeys(modalities, 0.0)
    for subset in subsets_of(modalities):
        size = len(subset)
        for name in modalities:
            if name in subset:
                continue
            share = math.factorial(size) * math.factorial(count - size - 1) / math.factorial(count)
            with_it = tuple(m for m in modalities if m in subset or m == name)
            found[name] += share * (values[subset_name(with_it)] - values[subset_name(subset)])
    return found


def subset_title(name: str) -> str:
    """Return the name of a subset for people: ``text + image``."""
    return name.replace("-", " + ")


def tabulate(
    runs: Sequence[Mapping[str, Mapping[str, EvaluationResult]]],
    metrics: Mapping[str, Metric],
    modalities: Sequence[str],
    config: EvaluationConfig,
) -> dict[str, dict[str, Any]]:
    """Return the table of each task: the mean over the ``runs``, and each modality's share.

    Args:
        runs: by training, then by task and subset.
        metrics: the main metric of each task.
        modalities: of the fusion.
        config: how intervals are made.
    """
    found: dict[str, dict[str, Any]] = {}
    for task, subsets in runs[0].items():
        figures = {
            name: summarise([run[task][name] for run in runs], metrics[task], config)
            for name in subsets
        }
        means = {name: figure.value for name, figure in figures.items()}
        found[task] = {
            "metric": metrics[task].name,
            "subsets": means,
            "intervals": {name: list(figure.interval) for name, figure in figures.items()},
            "shapley": shapley_values(means, modalities),
        }
    return found
