"""The audio modality: decoding and extractors."""

from typing import Annotated, Literal, Self

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt, model_validator

from mmray.config.base import ColumnConfig, CustomConfig, StrictModel
from mmray.config.encoder import EncoderConfig, LinearEncoderConfig


class AudioDecodeConfig(StrictModel):
    """From bytes to mono samples. The order is: mono, resample, denoise, trim, segment."""

    sample_rate_hz: PositiveInt = 16_000
    denoise: Literal["none", "spectral"] = "none"
    """``spectral`` is stationary spectral gating."""
    trim_db: PositiveFloat | None = None
    """Cut leading and trailing parts this much below the loudest; None keeps them."""
    segment_s: PositiveFloat | None = None
    """Fixed length in seconds: longer is cut, shorter is padded with silence."""
    max_duration_s: PositiveFloat = 600.0
    """A longer clip is rejected."""


class MfccConfig(StrictModel):
    """Mel-frequency cepstral coefficients, one vector per frame or their statistics."""

    kind: Literal["mfcc"] = "mfcc"
    coefficients: PositiveInt = 128
    mels: PositiveInt = 128
    fft_size: PositiveInt = 2048
    hop: PositiveInt = 512
    """Samples between frames."""
    pooling: Literal["sequence", "mean", "statistics"] = "sequence"
    """``mean`` is one vector of F; ``statistics`` is mean and standard deviation, 2F."""
    top_db: NonNegativeFloat | None = 80.0
    max_frames: PositiveInt = 512
    """A longer sequence is cut here."""

    @model_validator(mode="after")
    def _no_more_coefficients_than_mels(self) -> Self:
        if self.coefficients > self.mels:
            raise ValueError(
                f"coefficients ({self.coefficients}) must not exceed mels ({self.mels})"
            )
        return self


class CustomAudioExtract(CustomConfig):
    """A user's own audio extractor."""

    kind: Literal["custom"] = "custom"


AudioExtractConfig = Annotated[MfccConfig | CustomAudioExtract, Field(discriminator="kind")]


class AudioConfig(ColumnConfig):
    """An audio modality."""

    kind: Literal["audio"] = "audio"
    decode: AudioDecodeConfig = AudioDecodeConfig()
    extract: AudioExtractConfig = MfccConfig()
    encode: EncoderConfig = LinearEncoderConfig()
