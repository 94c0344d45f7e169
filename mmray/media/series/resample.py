"""Steps at a steady rate out of steps at any times. Axes: T steps read, N made, F channels."""

import math

import numpy as np

from mmray.core.rejection import Rejection
from mmray.media.series.plan import SeriesPlan, Table, Values, check_steps

GAP_STEPS = 5.0
"""A gap of so many median distances is not bridged, unless the document says how long it may be."""
_NEARLY = 1e-9
_MOST = 2**53


def in_order(table: Table) -> Table:
    """Return the steps by time; of equal times the last, steps without a time are left out."""
    if table.times_s is None:
        return table
    known = np.isfinite(table.times_s)
    times, values = table.times_s[known], table.values[known]
    order = np.argsort(times, kind="stable")
    times, values = times[order], values[order]
    last = np.append(times[1:] != times[:-1], True)[: len(times)]
    if not len(times):
        raise Rejection("series_empty", "no step has a time")
    return Table(values[last], times[last])


def resampled(table: Table, rate_hz: float, plan: SeriesPlan) -> Values:
    """Return ``(N, F)``, interpolated linearly and NaN in gaps; the times are in order."""
    assert table.times_s is not None
    # As Python's numbers: of two times at the ends of all numbers the distance is infinite.
    length = (float(table.times_s[-1]) - float(table.times_s[0])) * rate_hz
    steps = math.floor(length + _NEARLY) + 1 if length < _MOST else _MOST
    check_steps(steps, plan)
    times = table.times_s - table.times_s[0]  # (T,)
    max_gap_s = plan.max_gap_s
    if max_gap_s is None:
        max_gap_s = GAP_STEPS * float(np.median(np.diff(times))) if len(times) > 1 else 0.0
    grid = np.arange(steps) / rate_hz  # (N,)
    channels = [
        _interpolated(grid, times, channel, max_gap_s * (1 + _NEARLY)) for channel in table.values.T
    ]
    return np.stack(channels, axis=1)


def _interpolated(grid: Values, times: Values, channel: Values, max_gap_s: float) -> Values:
    known = ~np.isnan(channel)
    if not known.any():
        return np.full(len(grid), np.nan)
    at, values = times[known], channel[known]
    found = np.interp(grid, at, values, left=np.nan, right=np.nan)  # (N,)
    after = np.searchsorted(at, grid).clip(1, len(at) - 1) if len(at) > 1 else None
    if after is None:
        return np.where(np.isclose(grid, at[0], rtol=0, atol=_NEARLY), values[0], np.nan)
    # A step at the time of a value has that value, whatever lies around it.
    nearest = np.minimum(np.abs(grid - at[after - 1]), np.abs(grid - at[after]))
    in_gap = (at[after] - at[after - 1] > max_gap_s) & (nearest > _NEARLY)
    return np.where(in_gap, np.nan, found)
