"""The steps of a series, standardised. Axes: T steps, F channels, W windows."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import FiniteFloat, NonNegativeFloat, TypeAdapter, ValidationError

from mmray.config.modality.series import SeriesConfig, SeriesRawConfig, SeriesWindowsConfig
from mmray.core.file.atomic import read_json, write_json
from mmray.core.kind import Kind
from mmray.core.rejection import Rejection
from mmray.core.spec import FeatureSpec
from mmray.errors import ConfigError, ExtractionError
from mmray.features.extractor import Extractor, Feature
from mmray.features.kind import ExtractorKind, Fitting, TrainSplit
from mmray.features.series.decode import cut_windows, series_decoder
from mmray.features.state import fitted_file
from mmray.media.guard.guard import GuardedDecoder

Values = npt.NDArray[np.float64]
STATE_FILE = "series.json"
TINY = 1e-300
"""A smaller deviation would make an infinite number of what is divided by it."""
ROUNDING = 1e-12
"""A deviation that is a smaller share of the mean is that of a constant, rounded."""
LIMIT = 10.0
"""Deviations beyond which a value is cut."""


@dataclass(frozen=True, slots=True)
class SeriesScale:
    """Mean and deviation of each channel over the train split, of the values that are there."""

    mean: list[FiniteFloat]
    deviation: list[NonNegativeFloat]
    """0 for a channel that does not vary: then it is 0."""


class SeriesRawExtractor:
    """``(T, F)`` float32, or with flags of what is missing ``(T, 2F)``; with windows one per step.

    A missing value is the train split's mean, 0.
    """

    def __init__(
        self,
        spec: FeatureSpec,
        decode: Callable[[bytes], Values],
        scale: SeriesScale,
        *,
        has_flags: bool,
        windows: SeriesWindowsConfig | None,
    ) -> None:
        self.spec = spec
        self.decode = decode
        deviation = np.array(scale.deviation)
        self._mean = np.array(scale.mean)
        self._scale = np.divide(
            1.0, deviation, out=np.zeros_like(deviation), where=deviation > TINY
        )
        self._has_flags = has_flags
        self._windows = windows

    def extract(self, decoded: Sequence[Values]) -> list[Feature]:
        """Return the steps of each series, cut where the spec ends."""
        return [self._standardised(values) for values in decoded]

    def _standardised(self, values: Values) -> Feature:
        steps = values if self._windows is None else cut_windows(values, self._windows)
        missing = np.isnan(steps)
        scaled = np.where(missing, 0.0, (steps - self._mean) * self._scale).clip(-LIMIT, LIMIT)
        if self._has_flags:
            scaled = np.concatenate([scaled, missing], axis=-1)  # (T, 2F) or (W, length, 2F)
        flat = scaled.reshape(len(scaled), -1)
        return flat[: self.spec.shape[0]].astype(np.float32)


def fit_scale(series: Iterable[Values | Rejection], channels: int) -> SeriesScale:
    """Return the scale of all usable series; none at all is an ExtractionError.

    Means and squares are merged series by series, which stays exact where a mean is large.
    """
    count, mean, squares = np.zeros(channels), np.zeros(channels), np.zeros(channels)
    usable = 0
    for values in series:
        if isinstance(values, Rejection):
            continue
        usable += 1
        known = ~np.isnan(values)
        here = known.sum(axis=0)  # (F,)
        own_mean = np.where(known, values, 0.0).sum(axis=0) / np.maximum(here, 1)
        own = np.square(np.where(known, values - own_mean, 0.0)).sum(axis=0)
        total = np.maximum(count + here, 1)
        squares += own + np.square(own_mean - mean) * count * here / total
        mean += (own_mean - mean) * here / total
        count += here
    if not usable:
        raise ExtractionError(
            "the train split has no usable series to fit on",
            hint="check the column, 'decode' and the split",
        )
    deviation = np.sqrt(squares / np.maximum(count, 1))
    deviation[deviation < ROUNDING * np.abs(mean)] = 0.0
    return SeriesScale(mean.tolist(), deviation.tolist())


def _spec(config: SeriesConfig, extract: SeriesRawConfig) -> FeatureSpec:
    decode = config.decode
    width = decode.channels * (2 if decode.missing == "mask" else 1)
    shape = (extract.max_steps, width)
    if decode.windows is not None:
        shape = (decode.windows.most, decode.windows.length * width)
    return FeatureSpec(Kind.SERIES, "sequence", shape, "float32")


def _build(config: SeriesConfig, extract: SeriesRawConfig, state: Path | None) -> Extractor:
    return SeriesRawExtractor(
        _spec(config, extract),
        series_decoder(config.decode),
        _read_scale(fitted_file(state, STATE_FILE), config.decode.channels),
        has_flags=config.decode.missing == "mask",
        windows=config.decode.windows,
    )


def _read_scale(path: Path, channels: int) -> SeriesScale:
    try:
        scale = TypeAdapter(SeriesScale).validate_python(read_json(path))
        problem = f"not of {channels} channels"
    except (ValidationError, ValueError) as error:
        scale, problem = None, f"{error}"[:200]
    if scale is None or not len(scale.mean) == len(scale.deviation) == channels:
        raise ConfigError(
            f"the fitted scale of the series cannot be used: {problem}",
            where=str(path),
            hint="it is damaged, or of another document: extract again, or copy the bundle again",
        )
    return scale


def _fit(config: SeriesConfig, extract: SeriesRawConfig, train: TrainSplit, folder: Path) -> None:
    decode = series_decoder(config.decode)
    with closing(GuardedDecoder(decode, timeout_s=train.timeout_s)) as decoder:
        scale = fit_scale(decoder.each(train.payloads), config.decode.channels)
    state: dict[str, Any] = asdict(scale)
    write_json(folder / STATE_FILE, state)


RAW = ExtractorKind(
    config=SeriesRawConfig,
    version=1,
    spec=_spec,
    build=_build,
    fitting=Fitting(needed=lambda extract: True, run=_fit, file=STATE_FILE),
)
