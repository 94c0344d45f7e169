"""What a model does with some of its modalities only. Axes: M modalities."""

import math
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

Subset = tuple[str, ...]
"""Modalities in M-axis order."""

MAX_MODALITIES = 5
"""Of more there would be more than 32 subsets."""
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


def describe_losses(task: str, metric: str, values: Mapping[str, float], all_of: Subset) -> str:
    """Say in a sentence what dropping each modality costs."""
    parts = [
        f"{dropped} {values[subset_name(tuple(m for m in all_of if m != dropped))]:.4f}"
        for dropped in all_of
    ]
    return f"{task}: test {metric} of the fusion without {', '.join(parts)}"


def tabulate(
    runs: Sequence[Mapping[str, Mapping[str, float]]],
    metrics: Mapping[str, str],
    modalities: Sequence[str],
) -> dict[str, dict[str, Any]]:
    """Return the table of each task: the mean over the ``runs``, and each modality's share.

    Args:
        runs: by seed, then by task and subset, the main metric.
        metrics: the main metric of each task.
        modalities: of the fusion.
    """
    found: dict[str, dict[str, Any]] = {}
    for task, values in runs[0].items():
        means = {name: sum(run[task][name] for run in runs) / len(runs) for name in values}
        shapley = shapley_values(means, modalities)
        found[task] = {"metric": metrics[task], "subsets": means, "shapley": shapley}
    return found


def ablation_figures(task: str, table: Mapping[str, Any]) -> dict[str, float]:
    """Return a task's table as metrics with names of their own."""
    return {
        f"{what}/{task}/{name}": value
        for what, part in (("ablation", "subsets"), ("shapley", "shapley"))
        for name, value in table.get(part, {}).items()
    }
