"""From the video section of the document to an extractor."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, assert_never

from mmray.config.modality.video import (
    DEFAULT_FRAMES,
    CustomVideoExtract,
    FramesConfig,
    HFFramesConfig,
    HFVideoConfig,
    KeyFramesSamplingConfig,
    RateSamplingConfig,
    ScenesSamplingConfig,
    UniformSamplingConfig,
    VideoConfig,
)
from mmray.core.kind import Kind
from mmray.features.checkpoints.checkpoint import MODEL_FOLDER, checkpoint_identity
from mmray.features.checkpoints.export import export_checkpoint
from mmray.features.custom import custom_digest, load_custom
from mmray.features.extractor import Extractor
from mmray.features.video.checkpoint import read_video_checkpoint
from mmray.features.video.frames import VideoFramesExtractor
from mmray.features.video.spec import video_spec
from mmray.media.video.decode import decode_video
from mmray.media.video.render import Pixels, render_picture, render_scaled
from mmray.media.video.sampling import Sampling, VideoLimits

VERSIONS = {"frames": 2, "hf_image": 3, "hf_video": 2, "custom": 1}
"""Raise one when that extractor's code, or its decoding, gives other features than before."""


def build_video(config: VideoConfig, state: Path | None) -> Extractor:
    """Build the extractor of a video modality."""
    config = _with_exported(config, state)
    crop = config.decode.crop
    match config.extract:
        case FramesConfig(height=height, width=width):
            render = partial(render_scaled, height=height, width=width, crop=crop)
            return VideoFramesExtractor(video_spec(config), _decoding(config, render))
        case HFFramesConfig() as extract:
            return _build_hf_frames(config, extract)
        case HFVideoConfig() as extract:
            return _build_hf_video(config, extract)
        case CustomVideoExtract() as extract:
            return load_custom(extract.factory, extract.options, Kind.VIDEO)
        case _:
            assert_never(config.extract)


def video_identity(config: VideoConfig, state: Path | None) -> dict[str, Any]:
    """Return what beside its settings decides what the features are."""
    config = _with_exported(config, state)
    version = {"version": VERSIONS[config.extract.kind]}
    match config.extract:
        case HFFramesConfig(model=model) | HFVideoConfig(model=model):
            return version | {"checkpoint": checkpoint_identity(model)}
        case CustomVideoExtract() as extract:
            return version | {"code": custom_digest(extract.factory)}
        case FramesConfig():
            return version
        case _:
            assert_never(config.extract)


def export_video(config: VideoConfig, state: Path | None, folder: Path) -> None:
    """Write into ``folder`` what ``build_video(config, folder)`` needs on another machine."""
    config = _with_exported(config, state)
    if isinstance(config.extract, HFFramesConfig | HFVideoConfig):
        export_checkpoint(config.extract.model, folder / MODEL_FOLDER)


def _build_hf_frames(config: VideoConfig, extract: HFFramesConfig) -> Extractor:
    from mmray.features.image.network import VisionNetwork
    from mmray.features.video.hf_frames import HFFramesExtractor

    network = VisionNetwork(extract.model, pooling="pooled", batch_size=extract.batch_size)
    render = partial(render_picture, crop=config.decode.crop, resize=network.preprocess.resize)
    return HFFramesExtractor(video_spec(config), network, _decoding(config, render))


def _build_hf_video(config: VideoConfig, extract: HFVideoConfig) -> Extractor:
    from mmray.features.video.hf_video import HFVideoExtractor

    checkpoint = read_video_checkpoint(extract.model)
    spec = video_spec(config)
    resize = checkpoint.preprocess.resize
    render = partial(render_picture, crop=config.decode.crop, resize=resize)
    return HFVideoExtractor(
        spec,
        extract.model,
        checkpoint.preprocess,
        _decoding(config, render, frames=checkpoint.frames),
        frames=config.decode.frames or checkpoint.frames,
        batch_size=extract.batch_size,
    )


def _decoding(
    config: VideoConfig, render: Callable[[Any], Pixels], frames: int = DEFAULT_FRAMES
) -> Callable[[bytes], Pixels]:
    decode = config.decode
    limits = VideoLimits(
        decode.max_bytes, decode.max_pixels, decode.max_duration_s, decode.max_frames
    )
    sampling = _sampling(config, decode.frames or frames)
    return partial(
        decode_video, render=render, sampling=sampling, limits=limits, threads=decode.threads
    )


def _sampling(config: VideoConfig, frames: int) -> Sampling:
    match config.decode.sampling:
        case RateSamplingConfig(per_second=per_second):
            return Sampling("rate", frames, per_second=per_second)
        case ScenesSamplingConfig(threshold=threshold):
            return Sampling("scenes", frames, threshold=threshold)
        case KeyFramesSamplingConfig():
            return Sampling("key_frames", frames)
        case UniformSamplingConfig():
            return Sampling("uniform", frames)
        case _:
            assert_never(config.decode.sampling)


def _with_exported(config: VideoConfig, state: Path | None) -> VideoConfig:
    """Point the config at the checkpoint inside of ``state``, if any."""
    if state is None or not (state / MODEL_FOLDER).is_dir():
        return config
    change = {"model": str(state / MODEL_FOLDER)}
    return config.model_copy(update={"extract": config.extract.model_copy(update=change)})
