"""What video features will look like, told without data, torch, transformers or av."""

from typing import assert_never

from mmray.config.modality.image import HFImageConfig, ImageConfig
from mmray.config.modality.video import (
    DEFAULT_FRAMES,
    CustomVideoExtract,
    FramesConfig,
    HFFramesConfig,
    HFVideoConfig,
    VideoConfig,
)
from mmray.core.kind import Kind
from mmray.core.spec import FeatureSpec
from mmray.errors import ConfigError
from mmray.features.custom import load_custom
from mmray.features.image.spec import image_spec
from mmray.features.video.checkpoint import VideoCheckpoint, read_video_checkpoint


def video_spec(config: VideoConfig) -> FeatureSpec:
    """Return the spec that the built extractor will keep."""
    frames = config.decode.frames or DEFAULT_FRAMES
    match config.extract:
        case FramesConfig(height=height, width=width):
            return FeatureSpec(Kind.VIDEO, "frames", (frames, height, width, 3), "uint8")
        case HFFramesConfig() as extract:
            (size,) = image_spec(frame_config(config.column, extract)).shape
            if extract.pooling == "mean":
                return FeatureSpec(Kind.VIDEO, "vector", (size,), "float32")
            return FeatureSpec(Kind.VIDEO, "sequence", (frames, size), "float32")
        case HFVideoConfig(model=model):
            checkpoint = read_video_checkpoint(model)
            _check_frames(config, checkpoint)
            return FeatureSpec(Kind.VIDEO, "vector", (checkpoint.width,), "float32")
        case CustomVideoExtract() as extract:
            return load_custom(extract.factory, extract.options, Kind.VIDEO).spec
        case _:
            assert_never(config.extract)


def frame_config(column: str, extract: HFFramesConfig) -> ImageConfig:
    """Return the image modality that a single frame is."""
    picture = HFImageConfig(model=extract.model, batch_size=extract.batch_size, dim=extract.dim)
    return ImageConfig(column=column, extract=picture)


def _check_frames(config: VideoConfig, checkpoint: VideoCheckpoint) -> None:
    told, wanted = config.decode.frames, checkpoint.frames
    if told in (None, wanted):
        return
    if checkpoint.tubelet is None:
        raise ConfigError(
            f"decode.frames ({told}) is not what the checkpoint takes ({wanted})",
            hint="leave decode.frames out",
        )
    if told % checkpoint.tubelet:
        raise ConfigError(
            f"decode.frames ({told}) is no multiple of the {checkpoint.tubelet} frames that the"
            " checkpoint takes together",
            hint=f"set it to {told + told % checkpoint.tubelet}, or leave it out for {wanted}",
        )
