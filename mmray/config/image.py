"""The image modality: decoding and extractors."""

from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from mmray.config.base import ColumnConfig, CustomConfig, StrictModel
from mmray.config.encoder import EncoderConfig, LinearEncoderConfig


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


class ImageConfig(ColumnConfig):
    """An image modality."""

    kind: Literal["image"] = "image"
    decode: ImageDecodeConfig = ImageDecodeConfig()
    extract: ImageExtractConfig = PixelsConfig()
    encode: EncoderConfig = LinearEncoderConfig()
