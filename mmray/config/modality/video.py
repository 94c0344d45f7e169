"""The video modality: decoding and extractors."""

from typing import Annotated, Literal

from pydantic import Field, PositiveFloat, PositiveInt

from mmray.config.base import Checkpoint, ColumnConfig, CustomConfig, Fraction, StrictModel
from mmray.config.model.encoder import EncoderConfig, LinearEncoderConfig
from mmray.config.training.augment import PictureAugmentConfig

DEFAULT_FRAMES = 8


class UniformSamplingConfig(StrictModel):
    """Frames from the middles of equal parts of the clip."""

    kind: Literal["uniform"] = "uniform"


class RateSamplingConfig(StrictModel):
    """Frames at a constant rate from the start; too many are spread over the clip."""

    kind: Literal["rate"] = "rate"
    per_second: PositiveFloat = 1.0
    """Frames per second of the clip."""


class ScenesSamplingConfig(StrictModel):
    """The first frame of each scene; a clip that is one scene is sampled uniformly.

    Every frame is decoded to find them.
    """

    kind: Literal["scenes"] = "scenes"
    threshold: Fraction = 0.1
    """Mean difference of brightness between two frames, in [0, 1], that starts a scene."""


class KeyFramesSamplingConfig(StrictModel):
    """Key frames of the stream, the fastest to read; too many are spread over the clip.

    Their number and positions depend on how the clip was encoded.
    """

    kind: Literal["key_frames"] = "key_frames"


SamplingConfig = Annotated[
    UniformSamplingConfig | RateSamplingConfig | ScenesSamplingConfig | KeyFramesSamplingConfig,
    Field(discriminator="kind"),
]


class VideoDecodeConfig(StrictModel):
    """From bytes to a few upright RGB frames, chosen by presentation time."""

    sampling: SamplingConfig = UniformSamplingConfig()
    """Which frames of the clip are taken."""
    frames: PositiveInt | None = None
    """Frames taken at most: by default 8, or as many as the checkpoint was trained with."""
    crop: Literal["none", "center"] = "center"
    """``center`` cuts the largest middle square before a frame is resized."""
    max_bytes: PositiveInt = 256 * 2**20
    """A larger payload is rejected unopened."""
    max_pixels: PositiveInt = 36_000_000
    """A clip with larger frames is rejected; the default is just above 8K."""
    max_duration_s: PositiveFloat = 3600.0
    """A longer clip is rejected."""
    max_frames: PositiveInt = 250_000
    """A clip of more frames is rejected."""
    threads: PositiveInt = 1
    """Threads of the decoder. Extraction runs one process per core."""


class FramesConfig(StrictModel):
    """The frames themselves, ``(T, height, width, 3)`` uint8, for a convolutional encoder."""

    kind: Literal["frames"] = "frames"
    height: PositiveInt = 64
    """Height of every frame in pixels."""
    width: PositiveInt = 64
    """Width of every frame in pixels."""


class HFFramesConfig(StrictModel):
    """A pretrained vision model, frozen, over each frame."""

    kind: Literal["hf_image"] = "hf_image"
    model: Checkpoint
    """Hub name or local folder."""
    pooling: Literal["sequence", "mean"] = "sequence"
    """``sequence`` is one vector per frame; ``mean`` their average."""
    batch_size: PositiveInt = 16
    """Frames at a time."""
    dim: PositiveInt | None = None
    """Width of the feature, where the checkpoint's configuration does not say."""


class HFVideoConfig(StrictModel):
    """A pretrained video model, frozen: VideoMAE, TimeSformer, ViViT or V-JEPA 2.

    One vector per clip.
    """

    kind: Literal["hf_video"] = "hf_video"
    model: Checkpoint
    """Hub name or local folder."""
    batch_size: PositiveInt = 4
    """Clips at a time."""


class CustomVideoExtract(CustomConfig):
    """A user's own video extractor."""

    kind: Literal["custom"] = "custom"


VideoExtractConfig = Annotated[
    FramesConfig | HFFramesConfig | HFVideoConfig | CustomVideoExtract,
    Field(discriminator="kind"),
]


class VideoConfig(ColumnConfig):
    """A video modality. Its sound is an audio modality of the same column."""

    kind: Literal["video"] = "video"
    decode: VideoDecodeConfig = VideoDecodeConfig()
    """Which frames are taken, and how."""
    extract: VideoExtractConfig = FramesConfig()
    """The frozen extractor."""
    encode: EncoderConfig = LinearEncoderConfig()
    """The encoder that is trained with the fusion."""
    augment: tuple[PictureAugmentConfig, ...] = ()
    """Random changes to the features, in this order, on the train split only."""
