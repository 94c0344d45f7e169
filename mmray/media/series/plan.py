"""Settings of reading a payload as steps of channels."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from mmray.core.rejection import Rejection

Column = str | int
Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SeriesPlan:
    """The settings of decoding."""

    columns: int | tuple[Column, ...]
    """The channels by name or position; or how many, all columns but that of the times."""
    time: Column | None = None
    time_scale_s: float = 1.0
    """Seconds in the unit of times that are numbers."""
    rate_hz: float | None = None
    max_gap_s: float | None = None
    missing: Literal["mask", "interpolate", "drop"] = "mask"
    max_steps: int = 100_000
    max_bytes: int = 2**25


@dataclass(frozen=True, slots=True)
class Table:
    """The content of a payload. Axes: T steps, F channels."""

    values: Values
    """``(T, F)``, NaN where missing."""
    times_s: Values | None = None
    """``(T,)``, NaN where missing."""


def place_columns(
    plan: SeriesPlan, count: int, names: Sequence[str] | None
) -> tuple[list[int], int | None]:
    """Return the positions of the channels and of the times; names are those of a header.

    Rejects ``series_no_column``, and ``series_channels`` where there are more or fewer channels.
    """
    time = None if plan.time is None else _position(plan.time, count, names)
    if isinstance(plan.columns, tuple):
        return [_position(column, count, names) for column in plan.columns], time
    channels = [position for position in range(count) if position != time]
    if len(channels) != plan.columns:
        beside = "" if time is None else " beside the time"
        detail = f"{len(channels)} columns{beside}, not {plan.columns}; see decode.columns"
        raise Rejection("series_channels", detail)
    return channels, time


def _position(column: Column, count: int, names: Sequence[str] | None) -> int:
    if isinstance(column, int):
        if column < count:
            return column
        raise Rejection("series_no_column", f"there is no column {column}, there are {count}")
    if names is None:
        raise Rejection("series_no_column", f"no header names the column {column!r}")
    if column not in names:
        known = ", ".join(names)
        raise Rejection("series_no_column", f"no column is named {column!r}, but: {known:.200}")
    return names.index(column)


def check_steps(steps: int, plan: SeriesPlan) -> None:
    """Reject ``series_too_long`` and, without a step, ``series_empty``."""
    if not steps:
        raise Rejection("series_empty", "there is no step")
    if steps > plan.max_steps:
        raise Rejection("series_too_long", f"{steps} steps, allowed are {plan.max_steps}")


def chosen(array: npt.NDArray[np.generic], plan: SeriesPlan) -> Table:
    """Return the channels, and the times, of an array ``(T,)`` or ``(T, columns)`` of numbers."""
    columns = array[:, None] if array.ndim == 1 else array
    channels, time = place_columns(plan, columns.shape[1], None)
    with np.errstate(invalid="ignore", over="ignore"):  # odd NaNs, and numbers of more than 64 bits
        values = columns[:, channels].astype(np.float64)
        times = None if time is None else columns[:, time].astype(np.float64) * plan.time_scale_s
    return Table(values, times)
