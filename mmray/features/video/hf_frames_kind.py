"""The record of ``hf_image`` over the frames of a film, without torch or transformers."""

from functools import partial
from pathlib import Path

from mmray.config.modality.image import HFImageConfig, ImageConfig
from mmray.config.modality.video import DEFAULT_FRAMES, HFFramesConfig, VideoConfig
from mmray.core.kind import Kind
from mmray.core.spec import FeatureSpec
from mmray.features.checkpoints.extractor import checkpoint_extractor
from mmray.features.extractor import Extractor
from mmray.features.image.kind import IMAGE
from mmray.features.video.decode import video_decoder
from mmray.media.video.render import render_picture


def _spec(config: VideoConfig, extract: HFFramesConfig) -> FeatureSpec:
    (width,) = IMAGE.spec(_frame(config, extract)).shape
    if extract.pooling == "mean":
        return FeatureSpec(Kind.VIDEO, "vector", (width,), "float32")
    frames = config.decode.frames or DEFAULT_FRAMES
    return FeatureSpec(Kind.VIDEO, "sequence", (frames, width), "float32")


def _frame(config: VideoConfig, extract: HFFramesConfig) -> ImageConfig:
    """Return the image modality that a single frame is."""
    picture = HFImageConfig(model=extract.model, batch_size=extract.batch_size, dim=extract.dim)
    return ImageConfig(column=config.column, extract=picture)


def _build(config: VideoConfig, extract: HFFramesConfig, state: Path | None) -> Extractor:
    from mmray.features.image.network import VisionNetwork
    from mmray.features.video.hf_frames import HFFramesExtractor

    network = VisionNetwork(extract.model, pooling="pooled", batch_size=extract.batch_size)
    render = partial(render_picture, crop=config.decode.crop, resize=network.preprocess.resize)
    decode = video_decoder(config.decode, render)
    return HFFramesExtractor(_spec(config, extract), network, decode)


HF_FRAMES = checkpoint_extractor(HFFramesConfig, version=3, spec=_spec, build=_build)
