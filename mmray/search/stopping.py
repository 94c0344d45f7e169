"""Which trials are stopped early: what follows from the epochs of all trials, and from no more.

So a search that is resumed decides as one that was never disturbed.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from statistics import median

from mmray.config.task.metric import Direction
from mmray.config.training.search import (
    AshaStopConfig,
    HyperbandStopConfig,
    MedianStopConfig,
    NoStopConfig,
    StopConfig,
)

Curve = Sequence[float]
"""Values of the objective after each epoch."""


def reason_to_stop(
    stop: StopConfig, number: int, curves: Mapping[int, Curve], direction: Direction
) -> str:
    """Return why trial ``number`` should not be trained any further; empty if it should be.

    ``curves`` are those of all trials by their number.
    """
    sign = 1.0 if direction == "max" else -1.0
    best = {trial: _best_so_far(curve, sign) for trial, curve in curves.items()}
    epochs = len(curves[number])
    match stop:
        case NoStopConfig():
            return ""
        case MedianStopConfig():
            return _median_reason(stop, number, best, epochs)
        case AshaStopConfig():
            first, rivals = stop.grace_epochs, best
        case HyperbandStopConfig():
            bracket = (number - 1) % stop.brackets
            first = stop.grace_epochs * stop.reduction**bracket
            rivals = {n: c for n, c in best.items() if (n - 1) % stop.brackets == bracket}
    if epochs not in _rungs(first, stop.reduction, epochs):
        return ""
    reached = sorted((c[epochs - 1] for c in rivals.values() if len(c) >= epochs), reverse=True)
    kept = max(1, len(reached) // stop.reduction)
    if best[number][epochs - 1] >= reached[kept - 1]:
        return ""
    return f"not among the best {kept} of {len(reached)} after epoch {epochs}"


def _rungs(first: int, reduction: int, epochs: int) -> Iterator[int]:
    """Yield the epochs, up to ``epochs``, after which trials are compared."""
    for power in count():
        rung = first * reduction**power
        if rung > epochs:
            return
        yield rung


def _median_reason(
    stop: MedianStopConfig, number: int, best: Mapping[int, Curve], epochs: int
) -> str:
    others = [c[epochs - 1] for n, c in best.items() if n != number and len(c) >= epochs]
    if epochs < stop.grace_epochs or len(others) < stop.trials:
        return ""
    if best[number][epochs - 1] >= median(others):
        return ""
    return f"worse than the median of {len(others)} trials after epoch {epochs}"


def _best_so_far(curve: Curve, sign: float) -> list[float]:
    """Return the best value up to each epoch; larger is better."""
    found: list[float] = []
    for value in curve:
        found.append(max(sign * value, found[-1]) if found else sign * value)
    return found
