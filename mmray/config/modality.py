"""The modalities: where a payload is, how it is decoded, extracted and encoded."""

from typing import Annotated, Literal, Self

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt, model_validator

from mmray.config.base import CustomConfig, StrictModel
from mmray.config.encoder import EncoderConfig, LinearEncoderConfig

# --- text -----------------------------------------------------------------------------------


class TextCleanConfig(StrictModel):
    """What is done to a text before its extractor sees it."""

    lowercase: bool = True
    html: bool = True
    """Remove tags and resolve entities."""
    segment: bool = True
    """Cut Chinese into words (jieba) so that words, not characters, are counted."""
    stop_words: tuple[str, ...] = ()
    """Languages whose stop words are removed, as ISO 639-1 codes such as ``en`` and ``zh``."""


class TokensConfig(StrictModel):
    """Token ids, for an encoder that is trained on them."""

    kind: Literal["tokens"] = "tokens"
    vocabulary: PositiveInt = 8000
    """Size of the WordPiece vocabulary trained on the train split."""
    tokenizer: str | None = None
    """A ready tokenizer by hub name or local folder, instead of training one."""
    max_tokens: PositiveInt = 128
    """A longer text is cut here."""


class BowConfig(StrictModel):
    """Counts of words, weighted down by sublinear growth; vocabulary from the train split."""

    kind: Literal["bow"] = "bow"
    vocabulary: PositiveInt = 2000


class HFTextConfig(StrictModel):
    """A pretrained text encoder, frozen."""

    kind: Literal["hf_text"] = "hf_text"
    model: str
    """Hub name or local folder."""
    pooling: Literal["cls", "mean", "sequence"] = "cls"
    max_tokens: PositiveInt = 128
    batch_size: PositiveInt = 32
    dim: PositiveInt | None = None
    """Width of the feature, where the checkpoint's own configuration does not tell."""


class CustomTextExtract(CustomConfig):
    """A user's own text extractor."""

    kind: Literal["custom"] = "custom"


TextExtractConfig = Annotated[
    TokensConfig | BowConfig | HFTextConfig | CustomTextExtract, Field(discriminator="kind")
]


class TextConfig(StrictModel):
    """A text modality."""

    kind: Literal["text"] = "text"
    column: str
    payload: Literal["inline", "file"] = "inline"
    """Whether the column holds the text itself or a reference to a UTF-8 file."""
    clean: TextCleanConfig = TextCleanConfig()
    extract: TextExtractConfig = TokensConfig()
    encode: EncoderConfig = LinearEncoderConfig()


# --- image ----------------------------------------------------------------------------------


class ImageDecodeConfig(StrictModel):
    """From bytes to an RGB picture."""

    crop: Literal["none", "center"] = "center"
    """``center`` cuts the largest middle square before the picture is resized."""
    max_pixels: PositiveInt = 64_000_000
    """A picture that says it is larger is rejected undecoded."""


class PixelsConfig(StrictModel):
    """The picture itself, as ``(height, width, 3)`` uint8, for a convolutional encoder."""

    kind: Literal["pixels"] = "pixels"
    height: PositiveInt = 64
    width: PositiveInt = 64


class HFImageConfig(StrictModel):
    """A pretrained vision model, frozen: pooled output."""

    kind: Literal["hf_image"] = "hf_image"
    model: str
    """Hub name or local folder."""
    batch_size: PositiveInt = 16
    dim: PositiveInt | None = None
    """Width of the feature, where the checkpoint's own configuration does not tell."""


class CustomImageExtract(CustomConfig):
    """A user's own image extractor."""

    kind: Literal["custom"] = "custom"


ImageExtractConfig = Annotated[
    PixelsConfig | HFImageConfig | CustomImageExtract, Field(discriminator="kind")
]


class ImageConfig(StrictModel):
    """An image modality."""

    kind: Literal["image"] = "image"
    column: str
    decode: ImageDecodeConfig = ImageDecodeConfig()
    extract: ImageExtractConfig = PixelsConfig()
    encode: EncoderConfig = LinearEncoderConfig()


# --- audio ----------------------------------------------------------------------------------


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


class AudioConfig(StrictModel):
    """An audio modality."""

    kind: Literal["audio"] = "audio"
    column: str
    decode: AudioDecodeConfig = AudioDecodeConfig()
    extract: AudioExtractConfig = MfccConfig()
    encode: EncoderConfig = LinearEncoderConfig()


ModalityConfig = Annotated[TextConfig | ImageConfig | AudioConfig, Field(discriminator="kind")]
