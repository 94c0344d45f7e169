"""Percentile bootstrap intervals (Efron and Tibshirani 1993). Axes: N samples."""

from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def bootstrap_interval(
    statistic: Callable[[Array], float],
    count: int,
    *,
    confidence: float,
    resamples: int,
    seed: int = 0,
) -> tuple[float, float]:
    """Return the bounds of ``statistic(rows)`` over resampled row numbers ``(N,)``."""
    generator = np.random.default_rng(seed)
    values = [statistic(generator.integers(count, size=count)) for _ in range(resamples)]
    tail = (1.0 - confidence) / 2.0
    low, high = np.quantile(values, [tail, 1.0 - tail])
    return float(low), float(high)
