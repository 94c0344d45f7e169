"""What image features will look like, told without data, torch or transformers."""

from typing import Any, assert_never

from mmray.config.image import CustomImageExtract, HFImageConfig, ImageConfig, PixelsConfig
from mmray.core.spec import FeatureSpec
from mmray.core.word import Kind
from mmray.features.checkpoint import first_width, read_checkpoint_config
from mmray.features.custom import load_custom


def image_spec(config: ImageConfig) -> FeatureSpec:
    """Return the spec that the built extractor will keep."""
    match config.extract:
        case PixelsConfig() as extract:
            return FeatureSpec(Kind.IMAGE, "pixels", (extract.height, extract.width, 3), "uint8")
        case HFImageConfig() as extract:
            return FeatureSpec(Kind.IMAGE, "vector", (_width(extract),), "float32")
        case CustomImageExtract() as extract:
            return load_custom(extract.factory, extract.options, Kind.IMAGE).spec
        case _:
            assert_never(config.extract)


def _width(extract: HFImageConfig) -> int:
    checkpoint = read_checkpoint_config(extract.model)
    if extract.dim:
        return extract.dim
    scale = checkpoint.get("depth_multiplier", 1.0)
    match checkpoint.get("model_type"):
        case "mobilenet_v1":
            return max(int(1024 * scale), checkpoint.get("min_depth", 8))
        case "mobilenet_v2":
            return _mobilenet_v2_width(checkpoint, scale)
        case "clip" | "siglip":
            checkpoint = checkpoint.get("vision_config", {})
        case _:
            pass
    stages = checkpoint.get("hidden_sizes") or [None]
    told = (checkpoint.get("hidden_size"), stages[-1], checkpoint.get("hidden_dim"))
    return first_width(told, extract.model)


def _mobilenet_v2_width(checkpoint: dict[str, Any], scale: float) -> int:
    if checkpoint.get("finegrained_output", True) and scale < 1.0:
        return 1280
    divisor = checkpoint.get("depth_divisible_by", 8)
    wanted = round(1280 * scale)
    width = max(checkpoint.get("min_depth", 8), int(wanted + divisor / 2) // divisor * divisor)
    return width + divisor if width < 0.9 * wanted else width
