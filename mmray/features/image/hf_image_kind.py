"""The record of ``hf_image``, without torch or transformers."""

from pathlib import Path

from mmray.config.modality.image import HFImageConfig, ImageConfig
from mmray.core.kind import Kind
from mmray.core.spec import FeatureSpec
from mmray.features.checkpoints.extractor import checkpoint_extractor
from mmray.features.extractor import Extractor
from mmray.features.image.decode import image_steps
from mmray.features.image.shape import vision_config, vision_steps, vision_width


def _spec(config: ImageConfig, extract: HFImageConfig) -> FeatureSpec:
    checkpoint = vision_config(extract.model)
    width = extract.dim or vision_width(checkpoint, extract.model)
    if extract.pooling != "sequence":
        return FeatureSpec(Kind.IMAGE, "vector", (width,), "float32")
    steps = extract.steps or vision_steps(checkpoint, extract.model)
    return FeatureSpec(Kind.IMAGE, "sequence", (steps, width), "float32")


def _build(config: ImageConfig, extract: HFImageConfig, state: Path | None) -> Extractor:
    from mmray.features.image.hf_image import HFImageExtractor
    from mmray.features.image.network import VisionNetwork

    spec = _spec(config, extract)
    network = VisionNetwork(
        extract.model,
        pooling=extract.pooling,
        batch_size=extract.batch_size,
        precision=extract.precision,
    )
    return HFImageExtractor(spec, network, steps=image_steps(config.decode, auto_draft=0.0))


HF_IMAGE = checkpoint_extractor(HFImageConfig, version=5, spec=_spec, build=_build)
