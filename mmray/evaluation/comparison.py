"""Figures with intervals, and comparisons of models on the same samples.

The interval of a figure covers other test samples like these. That of a difference also covers
other trainings, if there are several of each. Axes: N samples.
"""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from mmray.config.document import EvaluationConfig
from mmray.config.task.metric import Metric
from mmray.evaluation.evaluate import Array, EvaluationResult, mean_statistic
from mmray.evaluation.interval import Interval, bootstrap_interval, wilson_interval

Verdict = Literal["better", "not shown", "worse"]


@dataclass(frozen=True, slots=True)
class Figure:
    """The main metric of one model: the mean over its trainings."""

    metric: Metric
    value: float
    interval: Interval
    """Over test samples."""
    deviation: float
    """Standard deviation of the trainings; zero for a single one."""
    samples: int
    trainings: int

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON types."""
        return asdict(self) | {"metric": self.metric.name, "interval": list(self.interval)}


@dataclass(frozen=True, slots=True)
class Difference:
    """How much better one model is than another; below zero if it is worse."""

    value: float
    interval: Interval

    @property
    def verdict(self) -> Verdict:
        """Return the verdict of the interval: none while it contains zero."""
        low, high = self.interval
        return "better" if low > 0 else "worse" if high < 0 else "not shown"

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON types."""
        return {"value": self.value, "interval": list(self.interval), "verdict": self.verdict}


def summarise(runs: Sequence[EvaluationResult], metric: Metric, config: EvaluationConfig) -> Figure:
    """Return the main metric of one model's trainings, evaluated on the same samples."""
    values, count = [run.value() for run in runs], runs[0].samples
    mean = statistics.fmean(values)
    if metric.is_hit_share:
        interval = wilson_interval(mean, count, confidence=config.confidence)
    else:
        interval = bootstrap_interval(
            mean_statistic(list(runs)),
            count,
            confidence=config.confidence,
            resamples=config.resamples,
        )
    return Figure(metric, mean, interval, _deviation(values), count, len(runs))


def compare(
    ours: Sequence[EvaluationResult],
    others: Sequence[EvaluationResult],
    metric: Metric,
    config: EvaluationConfig,
) -> Difference:
    """Compare two models sample by sample.

    Over samples: for a share Newcombe's interval of a paired difference (1998, method 10), else the
    paired bootstrap. The trainings' own spread is added to it in quadrature, as Student's t has it.
    """
    sign = metric.sign
    one, other = mean_statistic(list(ours)), mean_statistic(list(others))
    rows = np.arange(ours[0].samples)
    value = sign * (one(rows) - other(rows))
    if metric.is_hit_share:
        low, high = paired_shares(_hits(ours), _hits(others), confidence=config.confidence)
    else:
        low, high = bootstrap_interval(
            lambda rows: sign * (one(rows) - other(rows)),
            len(rows),
            confidence=config.confidence,
            resamples=config.resamples,
        )
    spread = _spread([run.value() for run in ours], [run.value() for run in others], config)
    return Difference(
        value, (value - math.hypot(value - low, spread), value + math.hypot(high - value, spread))
    )


def paired_shares(ours: Array, others: Array, *, confidence: float) -> Interval:
    """Return the interval of the difference of two shares of the same samples.

    Newcombe (1998), method 10: Wilson's limits of both, and the correlation of the hits ``(N,)``.
    """
    p, q, count = float(ours.mean()), float(others.mean()), len(ours)
    p_low, p_high = wilson_interval(p, count, confidence=confidence)
    q_low, q_high = wilson_interval(q, count, confidence=confidence)
    scale = math.sqrt(p * (1 - p) * q * (1 - q))
    covariance = float((ours * others).mean()) - p * q
    if covariance > 0.0:
        covariance = max(0.0, covariance - 0.5 / count)  # his correction for continuity
    phi = max(-1.0, min(1.0, covariance / scale)) if scale > 0 else 0.0

    def limit(a: float, b: float) -> float:
        return math.sqrt(max(0.0, a**2 - 2 * phi * a * b + b**2))

    return p - q - limit(p - p_low, q_high - q), p - q + limit(p_high - p, q - q_low)


def best_of(figures: Mapping[str, Figure], *, besides: str = "") -> str | None:
    """Return the name of the best figure among the others."""
    others = [name for name in figures if name != besides]
    if not others:
        return None
    return max(others, key=lambda name: figures[name].metric.sign * figures[name].value)


def _hits(runs: Sequence[EvaluationResult]) -> Array:
    """Return, per sample, the share of trainings that are right about it."""
    mean = mean_statistic(list(runs))
    return np.array([mean(np.array([row])) for row in range(runs[0].samples)])


def _deviation(values: Sequence[float]) -> float:
    return statistics.stdev(values) if len(values) > 1 else 0.0


def _spread(ours: Sequence[float], others: Sequence[float], config: EvaluationConfig) -> float:
    """Return the spread of a difference over trainings; zero if it is unknown."""
    from scipy.stats import t

    freedom = sum(len(values) - 1 for values in (ours, others))
    variance = sum(_deviation(values) ** 2 / len(values) for values in (ours, others))
    if not freedom or not variance:
        return 0.0
    return float(t.isf((1.0 - config.confidence) / 2.0, freedom)) * math.sqrt(variance)
