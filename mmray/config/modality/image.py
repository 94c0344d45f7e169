"""The image modality: decoding and extractors."""

from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from mmray.config.base import Checkpoint, ColumnConfig, CustomConfig, StrictModel
from mmray.config.model.encoder import EncoderConfig, LinearEncoderConfig
from mmray.config.training.augment import PictureAugmentConfig


class ImageDecodeConfig(StrictModel):
    """From bytes to an RGB picture."""

    crop: Literal["none", "center"] = "center"
    """``center`` cuts the largest middle square before the picture is resized."""
    max_pixels: int = Field(default=64_000_000, gt=0, le=178_956_970)
    """A picture whose header says it is larger is rejected undecoded."""
    draft: Literal["auto", "never"] | Annotated[float, Field(ge=1.0)] = "auto"
    """Decode a large JPEG at a half, a quarter or an eighth of its size, as long as that is still
    this many times the wanted size. ``auto`` is 1.4 for ``pixels``, and ``never`` for ``hf_image``,
    whose features then match the checkpoint's own preprocessing."""
    bits: Literal["auto"] | Annotated[int, Field(ge=1, le=16)] = "auto"
    """Significant bits of a 16-bit picture: with 12, 4095 is white. ``auto`` takes the fewest of 8,
    10, 12, 14 and 16 that hold the brightest pixel of each picture; give a number where dark
    pictures must stay darker than bright ones."""


class PixelsConfig(StrictModel):
    """The picture itself, as ``(height, width, 3)`` uint8, for a convolutional encoder."""

    kind: Literal["pixels"] = "pixels"
    height: PositiveInt = 64
    """Height of every picture in pixels."""
    width: PositiveInt = 64
    """Width of every picture in pixels."""


class HFImageConfig(StrictModel):
    """A pretrained vision model, frozen."""

    kind: Literal["hf_image"] = "hf_image"
    model: Checkpoint
    """Hub name or local folder."""
    pooling: Literal["pooled", "cls", "mean", "sequence"] = "pooled"
    """``pooled`` is the checkpoint's own output: its trained pooler, else its first token, else the
    mean. ``mean`` and ``sequence`` are over patches, or cells of a map."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """``bfloat16`` computes in it on a GPU; a CPU always computes in float32."""
    batch_size: PositiveInt = 16
    """Pictures in one pass of the network."""
    dim: PositiveInt | None = None
    """Width of the feature, where the checkpoint's configuration does not say."""
    steps: PositiveInt | None = None
    """Patches or cells of a sequence, where the checkpoint's configuration does not say."""


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
    """How a picture becomes pixels."""
    extract: ImageExtractConfig = PixelsConfig()
    """The frozen extractor."""
    encode: EncoderConfig = LinearEncoderConfig()
    """The encoder that is trained with the fusion."""
    augment: tuple[PictureAugmentConfig, ...] = ()
    """Random changes to the features, in this order, on the train split only."""
