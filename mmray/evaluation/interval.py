"""Intervals of one figure: Wilson for shares, bootstrap for the rest. Axes: N samples."""

from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Interval = tuple[float, float]


def bootstrap_interval(
    statistic: Callable[[Array], float],
    count: int,
    *,
    confidence: float,
    resamples: int,
    seed: int = 0,
) -> Interval:
    """Return the bounds of ``statistic(rows)`` over resampled row numbers ``(N,)``.

    The percentile interval (Efron and Tibshirani 1993).
    """
    generator = np.random.default_rng(seed)
    values = [statistic(generator.integers(count, size=count)) for _ in range(resamples)]
    tail = (1.0 - confidence) / 2.0
    low, high = np.quantile(values, [tail, 1.0 - tail])
    return float(low), float(high)


def wilson_interval(share: float, count: int, *, confidence: float) -> Interval:
    """Return the score interval of a share of ``count`` samples (Wilson 1927).

    It has a width where every sample is right, or none. In closed form, because a mean over several
    trainings need not be an integer number of samples, which ``scipy.stats.binomtest`` requires.
    """
    from scipy.stats import norm

    z = float(norm.isf((1.0 - confidence) / 2.0))
    centre = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z / (1 + z**2 / count) * np.sqrt(share * (1 - share) / count + z**2 / (4 * count**2))
    return max(0.0, float(centre - half)), min(1.0, float(centre + half))
