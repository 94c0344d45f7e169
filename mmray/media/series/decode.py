"""From the bytes of a series to its steps. Axes: T steps, F channels."""

import numpy as np

from mmray.core.rejection import Rejection
from mmray.media.series.array import NPY, read_json, read_npy
from mmray.media.series.lines import read_csv
from mmray.media.series.plan import SeriesPlan, Values
from mmray.media.series.resample import in_order, resampled

LARGEST = 1e100
"""A number beyond it counts as this much: its square is still finite."""


def decode_series(payload: bytes, *, plan: SeriesPlan) -> Values:
    """Return ``(T, F)``, NaN where a value is missing; at least one is there.

    Rejects ``series_too_large``, ``series_broken``, ``series_not_numeric``, ``series_no_column``,
    ``series_channels``, ``series_too_long`` and ``series_empty``.
    """
    if len(payload) > plan.max_bytes:
        detail = f"{len(payload)} bytes, allowed are {plan.max_bytes}"
        raise Rejection("series_too_large", detail)
    read = {"npy": read_npy, "json": read_json}.get(series_format(payload), read_csv)
    table = in_order(read(payload, plan))
    values = table.values
    values[np.isinf(values)] = np.nan
    np.clip(values, -LARGEST, LARGEST, out=values)
    if plan.rate_hz is not None:
        values = resampled(table, plan.rate_hz, plan)
    values = _treated(values, plan)
    if np.isnan(values).all():
        raise Rejection("series_empty", "no step has a value")
    return values


def series_format(payload: bytes) -> str:
    """Name the format by the payload's first bytes: npy, json or csv."""
    if payload.startswith(NPY):
        return "npy"
    return "json" if payload[:1024].lstrip()[:1] in (b"[", b"{") else "csv"


def _treated(values: Values, plan: SeriesPlan) -> Values:
    missing = np.isnan(values)
    if plan.missing == "mask" or not missing.any():
        return values
    if plan.missing == "drop":
        return values[~missing.any(axis=1)]
    steps = np.arange(len(values))
    for channel, lacks in zip(values.T, missing.T, strict=True):
        if not lacks.all():
            channel[lacks] = np.interp(steps[lacks], steps[~lacks], channel[~lacks])
    return values
