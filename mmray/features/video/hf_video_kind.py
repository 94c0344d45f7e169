"""The record of ``hf_video``, without torch or transformers."""

from functools import partial
from pathlib import Path

from mmray.config.modality.video import HFVideoConfig, VideoConfig
from mmray.core.kind import Kind
from mmray.core.spec import FeatureSpec
from mmray.errors import ConfigError
from mmray.features.checkpoints.extractor import checkpoint_extractor
from mmray.features.extractor import Extractor
from mmray.features.video.checkpoint import VideoCheckpoint, read_video_checkpoint
from mmray.features.video.decode import video_decoder
from mmray.media.video.render import render_picture


def _spec(config: VideoConfig, extract: HFVideoConfig) -> FeatureSpec:
    checkpoint = read_video_checkpoint(extract.model)
    _check_frames(config, checkpoint)
    return FeatureSpec(Kind.VIDEO, "vector", (checkpoint.width,), "float32")


def _check_frames(config: VideoConfig, checkpoint: VideoCheckpoint) -> None:
    told, wanted = config.decode.frames, checkpoint.frames
    if told in (None, wanted):
        return
    if checkpoint.tubelet is None:
        raise ConfigError(
            f"decode.frames ({told}) differs from that of the checkpoint ({wanted})",
            hint="leave decode.frames out",
        )
    if told % checkpoint.tubelet:
        raise ConfigError(
            f"decode.frames ({told}) is not a multiple of the {checkpoint.tubelet} frames that the"
            " checkpoint takes together",
            hint=f"set it to {told + told % checkpoint.tubelet}, or leave it out for {wanted}",
        )


def _build(config: VideoConfig, extract: HFVideoConfig, state: Path | None) -> Extractor:
    from mmray.features.video.hf_video import HFVideoExtractor

    checkpoint = read_video_checkpoint(extract.model)
    spec = _spec(config, extract)
    render = partial(render_picture, crop=config.decode.crop, resize=checkpoint.preprocess.resize)
    return HFVideoExtractor(
        spec,
        extract.model,
        checkpoint.preprocess,
        video_decoder(config.decode, render, frames=checkpoint.frames),
        frames=config.decode.frames or checkpoint.frames,
        batch_size=extract.batch_size,
    )


HF_VIDEO = checkpoint_extractor(HFVideoConfig, version=2, spec=_spec, build=_build)
