"""Statistics of stored features, piece by piece: no feature is held longer than its piece."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mmray.core.spec import FeatureSpec

PIECE = 2**20
"""Number of values per step."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """Statistics of the values of features, and of their lengths along the first axis."""

    features: int = 0
    values: int = 0
    mean: float = 0.0
    squares: float = 0.0
    """Sum of squared distances from the mean."""
    low: float = 0.0
    high: float = 0.0
    zeros: int = 0
    steps: int = 0
    """Sum of the lengths."""
    shortest: int = 0
    longest: int = 0


def measure(column: pa.Array, spec: FeatureSpec) -> Statistics:
    """Return the statistics of a feature column; nulls do not count."""
    valid = column.drop_null()
    flat = valid.flatten().to_numpy()
    total = Statistics()
    for start in range(0, len(flat), PIECE):
        total = merge((total, _measure_values(flat[start : start + PIECE])))
    if not len(valid):
        return total
    width = int(np.prod(spec.shape[1:], dtype=np.int64))
    lengths = valid.value_lengths().to_numpy() // width
    return merge((total, _measure_lengths(lengths)))


def _measure_values(flat: npt.NDArray[Any]) -> Statistics:
    values = flat.astype(np.float64)
    mean = float(values.mean())
    low, high = float(values.min()), float(values.max())
    zeros = int(len(values) - np.count_nonzero(values))
    squares = float(np.square(values - mean).sum())
    return Statistics(
        values=len(values), mean=mean, squares=squares, low=low, high=high, zeros=zeros
    )


def _measure_lengths(lengths: npt.NDArray[Any]) -> Statistics:
    return Statistics(
        features=len(lengths),
        steps=int(lengths.sum()),
        shortest=int(lengths.min()),
        longest=int(lengths.max()),
    )


def merge(parts: Iterable[Statistics]) -> Statistics:
    """Return the statistics of all parts together."""
    total = Statistics()
    for part in parts:
        total = _merge_two(total, part)
    return total


def _merge_two(a: Statistics, b: Statistics) -> Statistics:
    values = a.values + b.values
    apart = b.mean - a.mean
    share = b.values / values if values else 0.0
    extremes = [part for part in (a, b) if part.values]
    lengths = [part for part in (a, b) if part.features]
    return Statistics(
        features=a.features + b.features,
        values=values,
        mean=a.mean + apart * share,
        squares=a.squares + b.squares + apart**2 * a.values * share,
        low=min((part.low for part in extremes), default=0.0),
        high=max((part.high for part in extremes), default=0.0),
        zeros=a.zeros + b.zeros,
        steps=a.steps + b.steps,
        shortest=min((part.shortest for part in lengths), default=0),
        longest=max((part.longest for part in lengths), default=0),
    )


def describe(total: Statistics, spec: FeatureSpec) -> dict[str, Any]:
    """Return the statistics as a person asks for them; plain JSON."""
    if not total.features:
        return {"features": 0}
    told: dict[str, Any] = {"features": total.features}
    if spec.is_ragged:
        mean = total.steps / total.features
        told["length"] = {"min": total.shortest, "mean": mean, "max": total.longest}
    return told | {
        "mean": total.mean,
        "std": (total.squares / total.values) ** 0.5,
        "min": total.low,
        "max": total.high,
        "zeros": total.zeros / total.values,
    }
