"""A date column: time on a line, and around the year, the week and the day. Axes: B rows."""

from dataclasses import dataclass

import numpy as np

from mmray.features.table.number import Values, standard_scale, standardise

DAY_S = 86_400.0
MONDAY = 3
"""1970 began on a Thursday, three days after a Monday."""


@dataclass(frozen=True, slots=True)
class DateState:
    """A date column, fitted on the train split."""

    column: str
    mean: float
    """Seconds since 1970 in UTC."""
    deviation: float
    """Seconds; 0 when the train split has less than two different dates: then the time is 0."""

    @property
    def names(self) -> list[str]:
        """The names of the slots."""
        parts = [f"{part} {wave}" for part in ("year", "week", "day") for wave in ("sin", "cos")]
        waves = [f"{self.column} {part}" for part in parts]
        return [self.column, *waves, f"{self.column} is missing"]


def fit_date(column: str, seconds: Values) -> DateState:
    """Learn from the train split's times ``(B)``, NaN where missing."""
    known = seconds[~np.isnan(seconds)]
    return DateState(column, *(standard_scale(known) if known.size else (0.0, 0.0)))


def encode_date(state: DateState, seconds: Values) -> Values:
    """Return ``(B, 8)``: the time, sine and cosine three times, and whether it is missing."""
    missing = np.isnan(seconds)
    known = np.where(missing, state.mean, seconds)
    line = standardise(known, state.mean, state.deviation)
    week = (known / DAY_S + MONDAY) % 7 / 7
    day = known % DAY_S / DAY_S
    angles = 2 * np.pi * np.stack([_year_share(known), week, day], axis=1)  # (B, 3)
    waves = np.stack([np.sin(angles), np.cos(angles)], axis=2).reshape(len(known), 6)  # (B, 6)
    waves[missing] = 0.0
    return np.concatenate([line[:, None], waves, missing[:, None]], axis=1)


def _year_share(seconds: Values) -> Values:
    """Return how much of its year has passed, in [0, 1)."""
    year = np.floor(seconds).astype("datetime64[s]").astype("datetime64[Y]")
    start = year.astype("datetime64[s]").astype(np.float64)
    end = (year + 1).astype("datetime64[s]").astype(np.float64)
    return (seconds - start) / (end - start)
