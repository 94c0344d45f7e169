"""The record of video modalities."""

from typing import Any

from mmray.config.modality.video import CustomVideoExtract, VideoConfig
from mmray.core.kind import Kind
from mmray.features.custom import custom_extractor
from mmray.features.kind import ModalityKind, decisive_settings, guessed_format
from mmray.features.video.frames import FRAMES
from mmray.features.video.hf_frames_kind import HF_FRAMES
from mmray.features.video.hf_video_kind import HF_VIDEO


def _settings(config: VideoConfig) -> dict[str, Any]:
    settings = decisive_settings(config)
    settings["decode"].pop("threads")  # changes no feature
    return settings


def _example(config: VideoConfig) -> dict[str, Any]:
    from mmray.features.video.example import example_film  # loads av, which others do without

    return example_film(config)


VIDEO = ModalityKind(
    kind=Kind.VIDEO,
    config=VideoConfig,
    extractors=(
        FRAMES,
        HF_FRAMES,
        HF_VIDEO,
        custom_extractor(CustomVideoExtract, Kind.VIDEO, version=1),
    ),
    libraries=("av", "pillow", "numpy"),
    guard="always",
    format_of=guessed_format,
    example=_example,
    settings=_settings,
    also_reads=frozenset((Kind.IMAGE,)),
)
