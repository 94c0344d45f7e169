"""A number column: scaled, its gaps filled, with a flag. Axes: B rows, Q landmarks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from mmray.config.modality.table import Scale

Values = npt.NDArray[np.float64]

LIMIT = 10.0
"""Deviations beyond which a standardised number is cut."""
RAW_LIMIT = 1e15
"""Limit of a number that is not scaled, so that float32 can still square it."""
LANDMARKS = 1000
EDGE = 1e-7
"""Shares of a normal distribution that the smallest and largest number map to."""


@dataclass(frozen=True, slots=True)
class NumberState:
    """A number column, fitted on the train split."""

    column: str
    scale: Scale
    fill: float
    """Stands in for a missing number."""
    mean: float
    deviation: float
    """0 when the train split has less than two different numbers: then the feature is 0."""
    landmarks: Sequence[float]
    """Evenly spaced quantiles, for the scale ``quantile``."""

    @property
    def names(self) -> list[str]:
        """The names of the slots."""
        return [self.column, f"{self.column} is missing"]


def fit_number(
    column: str, values: Values, *, scale: Scale, impute: Literal["median", "mean"]
) -> NumberState:
    """Learn from the train split's numbers ``(B)``, NaN where missing."""
    known = values[~np.isnan(values)]
    if not known.size:
        return NumberState(column, scale, 0.0, 0.0, 0.0, [])
    fill = float(np.median(known) if impute == "median" else known.mean())
    mean, deviation = standard_scale(known)
    landmarks = _landmarks(known) if scale == "quantile" and deviation else []
    return NumberState(column, scale, fill, mean, deviation, landmarks)


def standard_scale(known: Values) -> tuple[float, float]:
    """Return mean and deviation; a deviation of 0 when all numbers are equal."""
    from sklearn.preprocessing import StandardScaler  # heavy: half a second

    if np.ptp(known) == 0:
        return float(known[0]), 0.0
    scaler: Any = StandardScaler().fit(known[:, None])
    return float(scaler.mean_[0]), float(scaler.scale_[0])


def encode_number(state: NumberState, values: Values) -> Values:
    """Return the number and its flag, ``(B, 2)``."""
    missing = np.isnan(values)
    filled = np.where(missing, state.fill, values)
    return np.stack([_scaled(state, filled), missing], axis=1)


def standardise(values: Values, mean: float, deviation: float) -> Values:
    """Return deviations from the mean, cut; zeros where the train split has none."""
    if deviation == 0:
        return np.zeros_like(values)
    with np.errstate(over="ignore"):
        return np.clip((values - mean) / deviation, -LIMIT, LIMIT)


def _scaled(state: NumberState, values: Values) -> Values:
    if state.scale == "none":
        return np.clip(values, -RAW_LIMIT, RAW_LIMIT)
    if state.scale == "standard" or state.deviation == 0:
        return standardise(values, state.mean, state.deviation)
    landmarks = np.asarray(state.landmarks)  # (Q)
    shares = np.linspace(0, 1, len(landmarks))  # (Q)
    from scipy.special import ndtri  # not above: it takes long to load, and few ask for it

    # From both sides: a value that many rows have is then in the middle of its ranks.
    rising = np.interp(values, landmarks, shares)
    falling = np.interp(-values, -landmarks[::-1], -shares[::-1])
    return ndtri(np.clip((rising - falling) / 2, EDGE, 1 - EDGE))


def _landmarks(known: Values) -> list[float]:
    from sklearn.preprocessing import QuantileTransformer

    count = min(LANDMARKS, known.size)
    transformer: Any = QuantileTransformer(n_quantiles=count, subsample=known.size)
    return transformer.fit(known[:, None]).quantiles_[:, 0].tolist()
