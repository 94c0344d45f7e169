"""The audio modality: decoding and extractors."""

from typing import Annotated, Literal, Self

from pydantic import (
    Field,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    field_validator,
    model_validator,
)

from mmray.config.base import Checkpoint, ColumnConfig, CustomConfig, StrictModel
from mmray.config.modality.text import TextCleanConfig, TextExtractConfig
from mmray.config.model.encoder import EncoderConfig, LinearEncoderConfig
from mmray.config.training.augment import SequenceAugmentConfig

Lufs = Annotated[float, Field(ge=-70.0, le=0.0)]


class WindowsConfig(StrictModel):
    """Segments of equal length, one every ``hop_s``; the last one is padded with silence."""

    length_s: PositiveFloat
    """Length of a window in seconds."""
    hop_s: PositiveFloat
    """Seconds between the starts of two windows."""


class BySilenceConfig(StrictModel):
    """Segments between pauses."""

    top_db: PositiveFloat = 40.0
    """A part this much below the loudest is a pause."""
    min_s: NonNegativeFloat = 0.1
    """A shorter segment is dropped, unless all are shorter."""


class AudioDecodeConfig(StrictModel):
    """From bytes to mono segments.

    The order is: mono, resample, high-pass, denoise, trim, loudness, segment.
    """

    channels: Literal["average", "first"] = "average"
    """``average`` is over the channels that are not silent throughout; ``first`` takes one, for
    clips whose channels cancel each other."""
    sample_rate_hz: PositiveInt = 16_000
    """Every clip is resampled to this rate."""
    high_pass_hz: PositiveFloat | None = None
    """Remove frequencies below this one (Butterworth, fourth order)."""
    denoise: Literal["none", "spectral"] = "none"
    """``spectral`` is stationary spectral gating."""
    trim_db: PositiveFloat | None = None
    """Cut leading and trailing parts this much below the loudest part; None keeps them."""
    loudness_lufs: Lufs | None = None
    """Scale the clip to this loudness (ITU-R BS.1770); None does not scale."""
    segment_s: PositiveFloat | None = None
    """Fixed length in seconds: longer is cut, shorter is padded with silence."""
    windows: WindowsConfig | None = None
    """Several segments of one length, with or without overlap."""
    by_silence: BySilenceConfig | None = None
    """Several segments of different lengths, cut at pauses."""
    max_segments: PositiveInt = 64
    """Most segments of a clip with ``windows`` or ``by_silence``; later ones are left out."""
    combine: Literal["mean", "sequence"] = "mean"
    """How the vectors of several segments become one feature: as their mean, or as a sequence with
    one step per segment. Sequences (``pooling: sequence``) are joined end to end."""
    max_duration_s: PositiveFloat = 600.0
    """A longer clip is rejected."""

    @model_validator(mode="after")
    def _one_way_to_segment(self) -> Self:
        ways = ("segment_s", "windows", "by_silence")
        given = [way for way in ways if getattr(self, way) is not None]
        if len(given) > 1:
            raise ValueError(f"{given[0]} and {given[1]} exclude each other")
        return self

    @model_validator(mode="after")
    def _several_segments_to_combine(self) -> Self:
        if self.combine == "sequence" and not self.has_many_segments:
            raise ValueError("combine: sequence needs windows or by_silence")
        return self

    @model_validator(mode="after")
    def _high_pass_below_half_the_rate(self) -> Self:
        if self.high_pass_hz is not None and self.high_pass_hz >= self.sample_rate_hz / 2:
            raise ValueError(
                f"high_pass_hz ({self.high_pass_hz}) must be below half of"
                f" sample_rate_hz ({self.sample_rate_hz})"
            )
        return self

    @property
    def has_many_segments(self) -> bool:
        """Whether a clip may become more than one segment."""
        return self.windows is not None or self.by_silence is not None

    @property
    def segment_size(self) -> int | None:
        """Samples in every segment; None where segments differ."""
        length_s = self.segment_s if self.windows is None else self.windows.length_s
        return None if length_s is None else max(1, round(length_s * self.sample_rate_hz))

    @property
    def longest_s(self) -> float:
        """How long a segment can be."""
        size = self.segment_size
        return self.max_duration_s if size is None else size / self.sample_rate_hz


class _FramesConfig(StrictModel):
    """Settings of all spectra of short frames."""

    mels: PositiveInt = 128
    """Bands of the mel scale."""
    fft_size: PositiveInt = 2048
    """Samples in one frame of the spectrum."""
    hop: PositiveInt = 512
    """Samples between frames."""
    pooling: Literal["sequence", "mean", "statistics"] = "sequence"
    """``mean`` is one vector of F; ``statistics`` is mean and standard deviation, 2F."""
    top_db: NonNegativeFloat | None = 80.0
    """Dynamic range: levels this far below the loudest are raised to that limit."""
    max_frames: PositiveInt = 512
    """A longer sequence is cut here."""


class MfccConfig(_FramesConfig):
    """Mel-frequency cepstral coefficients, one vector per frame or their statistics."""

    kind: Literal["mfcc"] = "mfcc"
    coefficients: PositiveInt = 128
    """Cepstral coefficients that are kept."""
    deltas: Literal[0, 1, 2] = 0
    """Also first derivatives over nine frames (1), or first and second ones (2); F grows with
    them."""

    @model_validator(mode="after")
    def _no_more_coefficients_than_mels(self) -> Self:
        if self.coefficients > self.mels:
            raise ValueError(
                f"coefficients ({self.coefficients}) must not exceed mels ({self.mels})"
            )
        return self

    @property
    def width(self) -> int:
        """Values per frame (F)."""
        return self.coefficients * (1 + self.deltas)


class LogMelConfig(_FramesConfig):
    """Mel spectrogram in decibels, one vector per frame or their statistics."""

    kind: Literal["log_mel"] = "log_mel"

    @property
    def width(self) -> int:
        """Values per frame (F)."""
        return self.mels


class WaveformConfig(StrictModel):
    """The samples themselves, one per step, for an encoder that is trained on them."""

    kind: Literal["waveform"] = "waveform"
    max_samples: PositiveInt = 160_000
    """A longer waveform is cut here."""


class HFAudioConfig(StrictModel):
    """A pretrained audio model, frozen: wav2vec 2, HuBERT, WavLM, Whisper, AST, CLAP, YAMNet."""

    kind: Literal["hf_audio"] = "hf_audio"
    model: Checkpoint
    """Hub name or local folder."""
    pooling: Literal["mean", "sequence", "pooled"] = "mean"
    """Hidden states averaged, all of them, or the model's own pooled output."""
    max_frames: PositiveInt = 1500
    """A longer sequence is cut here."""
    batch_size: PositiveInt = 8
    """Clips in one pass of the network."""
    dim: PositiveInt | None = None
    """Width of the feature, where the checkpoint's configuration does not say."""


class TranscribedTextConfig(StrictModel):
    """Processing of the recognised text, with the settings of a text modality."""

    clean: TextCleanConfig = TextCleanConfig()
    """Cleaning of the recognised text."""
    extract: TextExtractConfig
    """The frozen extractor of the recognised text."""

    @field_validator("clean")
    @classmethod
    def _words_have_no_encoding(cls, clean: TextCleanConfig) -> TextCleanConfig:
        if clean.encoding != "utf-8":
            raise ValueError(f"encoding ({clean.encoding}) is for files, not for recognised words")
        return clean


class TranscriptConfig(StrictModel):
    """Recognised speech as text: Whisper, or any checkpoint with a CTC head."""

    kind: Literal["transcript"] = "transcript"
    model: Checkpoint
    """Hub name or local folder."""
    language: str | None = None
    """Spoken language, such as ``en``, for a Whisper of many languages; None detects it."""
    max_new_tokens: PositiveInt = 128
    """Whisper: most tokens of one segment."""
    beams: PositiveInt = 1
    """Whisper: number of beams; 1 takes the likeliest token."""
    batch_size: PositiveInt = 8
    """Clips in one pass of the network."""
    text: TranscribedTextConfig
    """How the recognised text becomes a feature."""


class CustomAudioExtract(CustomConfig):
    """A user's own audio extractor."""

    kind: Literal["custom"] = "custom"


AudioExtractConfig = Annotated[
    MfccConfig
    | LogMelConfig
    | WaveformConfig
    | HFAudioConfig
    | TranscriptConfig
    | CustomAudioExtract,
    Field(discriminator="kind"),
]


class AudioConfig(ColumnConfig):
    """An audio modality."""

    kind: Literal["audio"] = "audio"
    decode: AudioDecodeConfig = AudioDecodeConfig()
    """How a clip becomes samples: rate, length, cleaning."""
    extract: AudioExtractConfig = MfccConfig()
    """The frozen extractor."""
    encode: EncoderConfig = LinearEncoderConfig()
    """The encoder that is trained with the fusion."""
    augment: tuple[SequenceAugmentConfig, ...] = ()
    """Random changes to the features, in this order, on the train split only."""
