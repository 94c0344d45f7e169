"""The series modality: time series and sensor recordings, their decoding and extractors."""

from typing import Annotated, Literal, Self

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from mmray.config.base import ColumnConfig, CustomConfig, Fraction, StrictModel
from mmray.config.model.encoder import EncoderConfig, MlpEncoderConfig
from mmray.config.training.augment import SequenceAugmentConfig

SeriesColumn = str | NonNegativeInt
"""A column of a payload: a name of its header, or a position from 0."""


class SeriesWindowsConfig(StrictModel):
    """Parts of equal length, one every ``hop`` steps; the last one is filled up with missing steps.

    A feature is then a sequence with one step per window.
    """

    length: PositiveInt
    """Steps in a window."""
    hop: PositiveInt
    """Steps between the starts of two windows."""
    most: PositiveInt = 64
    """Most windows; later ones are left out."""


class SeriesDecodeConfig(StrictModel):
    """From bytes to steps of one or more channels.

    The order is: choose columns, resample, treat missing steps, cut windows.
    """

    columns: PositiveInt | Annotated[tuple[SeriesColumn, ...], Field(min_length=1)] = 1
    """The channels: names of the header or positions from 0; or how many there are, all columns
    but that of the times."""
    time: SeriesColumn | None = None
    """Column of the times: numbers, or in CSV ISO 8601; without it, steps are evenly spaced."""
    time_unit: Literal["s", "ms", "us", "ns"] = "s"
    """Unit of times that are numbers."""
    rate_hz: PositiveFloat | None = None
    """Resample to this rate by linear interpolation; needs ``time``."""
    max_gap_s: PositiveFloat | None = None
    """Nothing is interpolated between values that lie further apart: these steps are missing. By
    default five times the median distance between the times of the payload."""
    missing: Literal["mask", "interpolate", "drop"] = "mask"
    """How missing steps are treated. ``mask``: they stay; ``raw`` has a channel of flags beside
    each channel. ``interpolate``: between their neighbours, however far. ``drop``: steps that lack
    a channel are left out."""
    windows: SeriesWindowsConfig | None = None
    """Cut the series into parts of equal length, with or without overlap."""
    max_steps: PositiveInt = 100_000
    """A longer series, read or resampled, is rejected."""
    max_bytes: PositiveInt = 32 * 2**20
    """A larger payload is rejected unopened."""

    @model_validator(mode="after")
    def _times_are_there_to_resample(self) -> Self:
        if self.rate_hz is not None and self.time is None:
            raise ValueError("rate_hz needs 'time', the column of the times")
        if self.max_gap_s is not None and self.rate_hz is None:
            raise ValueError("max_gap_s needs rate_hz: without it nothing is resampled")
        return self

    @model_validator(mode="after")
    def _columns_are_different(self) -> Self:
        if isinstance(self.columns, int):
            return self
        named = [*self.columns, *([] if self.time is None else [self.time])]
        twice = next((column for column in named if named.count(column) > 1), None)
        if twice is not None:
            raise ValueError(f"the column {twice!r} is named twice")
        return self

    @property
    def channels(self) -> int:
        """The number of channels."""
        return self.columns if isinstance(self.columns, int) else len(self.columns)


class SeriesStatisticsConfig(StrictModel):
    """Statistics of each channel over the values that are there; one vector.

    Mean, deviation, minimum, maximum, slope per step, mean step between neighbours, correlation of
    neighbours, share of missing steps, and quantiles. With windows, one such vector per window.
    """

    kind: Literal["statistics"] = "statistics"
    quantiles: tuple[Fraction, ...] = (0.25, 0.5, 0.75)
    """Which quantiles of each channel."""


class SeriesRawConfig(StrictModel):
    """The steps themselves, standardised by what the train split has, for a sequence encoder.

    With ``decode.missing: mask`` a channel of flags stands beside each channel. With windows, one
    step holds all steps of a window side by side.
    """

    kind: Literal["raw"] = "raw"
    max_steps: PositiveInt = 512
    """Without windows: a longer series is cut here."""


class CustomSeriesExtract(CustomConfig):
    """A user's own series extractor."""

    kind: Literal["custom"] = "custom"


SeriesExtractConfig = Annotated[
    SeriesStatisticsConfig | SeriesRawConfig | CustomSeriesExtract, Field(discriminator="kind")
]


class SeriesConfig(ColumnConfig):
    """A series modality: one recording per sample, of one or more channels."""

    kind: Literal["series"] = "series"
    payload: Literal["file", "inline"] = "file"
    """Whether text in the column is a reference to a file or the series itself, as CSV or JSON. A
    list in the column is always the series itself."""
    decode: SeriesDecodeConfig = SeriesDecodeConfig()
    """How a payload becomes steps of channels."""
    extract: SeriesExtractConfig = SeriesStatisticsConfig()
    """The frozen extractor."""
    encode: EncoderConfig = MlpEncoderConfig()
    """The encoder that is trained with the fusion."""
    augment: tuple[SequenceAugmentConfig, ...] = ()
    """Random changes to what is extracted, in this order, on the train split alone."""

    @property
    def is_inline(self) -> bool:
        """Whether text in the column is the payload itself."""
        return self.payload == "inline"

    @property
    def holds_lists(self) -> bool:
        """Whether a list in the column is a payload: yes."""
        return True
