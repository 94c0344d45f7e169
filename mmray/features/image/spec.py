"""What image features will look like, told without data, torch or transformers."""

from typing import assert_never

from mmray.config.modality.image import CustomImageExtract, HFImageConfig, ImageConfig, PixelsConfig
from mmray.core.kind import Kind
from mmray.core.spec import FeatureSpec
from mmray.features.custom import load_custom
from mmray.features.image.shape import vision_config, vision_steps, vision_width


def image_spec(config: ImageConfig) -> FeatureSpec:
    """Return the spec that the built extractor will keep."""
    match config.extract:
        case PixelsConfig() as extract:
            return FeatureSpec(Kind.IMAGE, "pixels", (extract.height, extract.width, 3), "uint8")
        case HFImageConfig() as extract:
            return _checkpoint_spec(extract)
        case CustomImageExtract() as extract:
            return load_custom(extract.factory, extract.options, Kind.IMAGE).spec
        case _:
            assert_never(config.extract)


def _checkpoint_spec(extract: HFImageConfig) -> FeatureSpec:
    checkpoint = vision_config(extract.model)
    width = extract.dim or vision_width(checkpoint, extract.model)
    if extract.pooling != "sequence":
        return FeatureSpec(Kind.IMAGE, "vector", (width,), "float32")
    steps = extract.steps or vision_steps(checkpoint, extract.model)
    return FeatureSpec(Kind.IMAGE, "sequence", (steps, width), "float32")
