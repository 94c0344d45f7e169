"""From the decode section of a video modality to what reads a payload."""

from collections.abc import Callable
from functools import partial
from typing import Any, assert_never

from mmray.config.modality.video import (
    DEFAULT_FRAMES,
    KeyFramesSamplingConfig,
    RateSamplingConfig,
    ScenesSamplingConfig,
    UniformSamplingConfig,
    VideoDecodeConfig,
)
from mmray.media.video.decode import decode_video
from mmray.media.video.render import Pixels
from mmray.media.video.sampling import Sampling, VideoLimits


def video_decoder(
    config: VideoDecodeConfig, render: Callable[[Any], Pixels], frames: int = DEFAULT_FRAMES
) -> Callable[[bytes], Pixels]:
    """Return the decoder; ``frames`` are taken where the document does not say how many."""
    limits = VideoLimits(
        config.max_bytes, config.max_pixels, config.max_duration_s, config.max_frames
    )
    sampling = _sampling(config, config.frames or frames)
    return partial(
        decode_video, render=render, sampling=sampling, limits=limits, threads=config.threads
    )


def _sampling(config: VideoDecodeConfig, frames: int) -> Sampling:
    match config.sampling:
        case RateSamplingConfig(per_second=per_second):
            return Sampling("rate", frames, per_second=per_second)
        case ScenesSamplingConfig(threshold=threshold):
            return Sampling("scenes", frames, threshold=threshold)
        case KeyFramesSamplingConfig():
            return Sampling("key_frames", frames)
        case UniformSamplingConfig():
            return Sampling("uniform", frames)
        case _:
            assert_never(config.sampling)
