"""The frames themselves. Axes: T frames, H height, W width."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from mmray.config.modality.video import DEFAULT_FRAMES, FramesConfig, VideoConfig
from mmray.core.kind import Kind
from mmray.core.spec import FeatureSpec
from mmray.features.extractor import Extractor, Feature
from mmray.features.kind import ExtractorKind
from mmray.features.video.decode import video_decoder
from mmray.media.video.render import render_scaled


class VideoFramesExtractor:
    """``(T, H, W, 3)`` uint8, ready for a convolutional encoder."""

    def __init__(self, spec: FeatureSpec, decode: Callable[[bytes], Feature]) -> None:
        self.spec = spec
        self.decode = decode

    def extract(self, decoded: Sequence[Feature]) -> list[Feature]:
        """Return the frames as they are."""
        return list(decoded)


def _spec(config: VideoConfig, extract: FramesConfig) -> FeatureSpec:
    frames = config.decode.frames or DEFAULT_FRAMES
    return FeatureSpec(Kind.VIDEO, "frames", (frames, extract.height, extract.width, 3), "uint8")


def _build(config: VideoConfig, extract: FramesConfig, state: Path | None) -> Extractor:
    render = partial(
        render_scaled, height=extract.height, width=extract.width, crop=config.decode.crop
    )
    return VideoFramesExtractor(_spec(config, extract), video_decoder(config.decode, render))


FRAMES = ExtractorKind(config=FramesConfig, version=2, spec=_spec, build=_build)
