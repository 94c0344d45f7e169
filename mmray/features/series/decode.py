"""From the decode section of a series modality to what reads a payload, and to its windows.

Axes: T steps, F channels, W windows.
"""

from collections.abc import Callable
from functools import partial
from math import ceil

import numpy as np
import numpy.typing as npt

from mmray.config.modality.series import SeriesDecodeConfig, SeriesWindowsConfig
from mmray.media.series.decode import decode_series
from mmray.media.series.plan import SeriesPlan

Values = npt.NDArray[np.float64]
SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}


def series_decoder(config: SeriesDecodeConfig) -> Callable[[bytes], Values]:
    """Return the decoder; it can be pickled."""
    plan = SeriesPlan(
        columns=config.columns,
        time=config.time,
        time_scale_s=SECONDS[config.time_unit],
        rate_hz=config.rate_hz,
        max_gap_s=config.max_gap_s,
        missing=config.missing,
        max_steps=config.max_steps,
        max_bytes=config.max_bytes,
    )
    return partial(decode_series, plan=plan)


def cut_windows(values: Values, windows: SeriesWindowsConfig) -> Values:
    """Return ``(W, length, F)`` of ``(T, F)``; steps beyond the end are NaN."""
    length, hop = windows.length, windows.hop
    count = min(windows.most, 1 + max(0, ceil((len(values) - length) / hop)))
    needed = (count - 1) * hop + length
    padded = np.full((needed, values.shape[1]), np.nan)
    padded[: len(values)] = values[:needed]
    return np.stack([padded[start : start + length] for start in range(0, count * hop, hop)])
