"""Statistics of each channel of a series. Axes: T steps, F channels, W windows, S statistics."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mmray.config.modality.series import (
    SeriesConfig,
    SeriesStatisticsConfig,
    SeriesWindowsConfig,
)
from mmray.core.kind import Kind
from mmray.core.spec import FeatureSpec
from mmray.features.extractor import Extractor, Feature
from mmray.features.kind import ExtractorKind
from mmray.features.series.decode import cut_windows, series_decoder

Values = npt.NDArray[np.float64]
FIXED = 8
"""Statistics beside the quantiles."""
LARGEST = 1e15
"""Limit of a statistic, so that float32 can still square it."""


class SeriesStatisticsExtractor:
    """``(F * S,)`` float32, channel after channel; with windows ``(W, F * S)``."""

    def __init__(
        self,
        spec: FeatureSpec,
        decode: Callable[[bytes], Values],
        quantiles: Sequence[float],
        windows: SeriesWindowsConfig | None,
    ) -> None:
        self.spec = spec
        self.decode = decode
        self._quantiles = quantiles
        self._windows = windows

    def extract(self, decoded: Sequence[Values]) -> list[Feature]:
        """Return the statistics of each series."""
        return [self._described(values) for values in decoded]

    def _described(self, values: Values) -> Feature:
        if self._windows is None:
            return self._row(values)
        return np.stack([self._row(window) for window in cut_windows(values, self._windows)])

    def _row(self, values: Values) -> Feature:
        channels = [channel_statistics(channel, self._quantiles) for channel in values.T]
        return np.concatenate(channels).clip(-LARGEST, LARGEST).astype(np.float32)


def channel_statistics(channel: Values, quantiles: Sequence[float]) -> Values:
    """Return ``(S,)`` of ``(T,)``: all zero but the share of missing steps where no value is there.

    Mean, deviation, minimum, maximum, slope per step, mean step between neighbours, correlation of
    neighbours, share of missing steps, quantiles. Neighbours are steps that are both there.
    """
    known = ~np.isnan(channel)
    found = np.zeros(FIXED + len(quantiles))
    found[7] = 1.0 - known.mean()
    if not known.any():
        return found
    values = channel[known]
    found[:4] = values.mean(), values.std(), values.min(), values.max()
    both = known[1:] & known[:-1]
    if both.any():
        found[5] = np.abs(np.diff(channel)[both]).mean()
    if found[2] < found[3]:  # of a constant, rounding is all that would vary
        steps = np.flatnonzero(known) - np.flatnonzero(known).mean()
        centred = channel - found[0]
        found[4] = (steps * centred[known]).sum() / np.square(steps).sum()
        found[6] = (centred[:-1] * centred[1:])[both].sum() / np.square(centred[known]).sum()
    found[FIXED:] = np.quantile(values, quantiles)
    return found


def _spec(config: SeriesConfig, extract: SeriesStatisticsConfig) -> FeatureSpec:
    width = config.decode.channels * (FIXED + len(extract.quantiles))
    windows = config.decode.windows
    if windows is None:
        return FeatureSpec(Kind.SERIES, "vector", (width,), "float32")
    return FeatureSpec(Kind.SERIES, "sequence", (windows.most, width), "float32")


def _build(config: SeriesConfig, extract: SeriesStatisticsConfig, state: Path | None) -> Extractor:
    decode, windows = series_decoder(config.decode), config.decode.windows
    return SeriesStatisticsExtractor(_spec(config, extract), decode, extract.quantiles, windows)


STATISTICS = ExtractorKind(config=SeriesStatisticsConfig, version=1, spec=_spec, build=_build)
