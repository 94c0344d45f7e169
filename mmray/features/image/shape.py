"""The features of a vision checkpoint by its own files, without torch or transformers.

Axes: T patches or cells, H height, W width, F feature.
"""

from math import ceil
from typing import Any

from mmray.core.kind import Kind
from mmray.errors import ConfigError
from mmray.features.checkpoints.checkpoint import (
    find_file,
    first_width,
    read_checkpoint_config,
    read_checkpoint_file,
)
from mmray.features.checkpoints.kind import check_kind
from mmray.features.image.preprocess import Size

Checkpoint = dict[str, Any]
_DEFAULTS: dict[str, Checkpoint] = {
    "clip": {"hidden_size": 768, "patch_size": 32},
    "siglip": {"hidden_size": 768, "patch_size": 16},
}
"""Values that config.json leaves out, by the architecture of the image half."""
_SQUARE_CROPS = ("ConvNext", "ConvNeXT")


def vision_config(model: str) -> Checkpoint:
    """Return config.json, of a checkpoint for pictures and text the half for pictures.

    A checkpoint for something else is a ConfigError.
    """
    checkpoint = read_checkpoint_config(model)
    check_kind(checkpoint, Kind.IMAGE, model)
    family = str(checkpoint.get("model_type", "")).removesuffix("_vision_model")
    return _DEFAULTS.get(family, {}) | checkpoint | checkpoint.get("vision_config", {})


def vision_width(checkpoint: Checkpoint, model: str) -> int:
    """Return F; if config.json does not say it, a ConfigError."""
    scale = checkpoint.get("depth_multiplier", 1.0)
    match checkpoint.get("model_type"):
        case "mobilenet_v1":
            return max(int(1024 * scale), checkpoint.get("min_depth", 8))
        case "mobilenet_v2":
            return _mobilenet_v2_width(checkpoint, scale)
        case _:
            pass
    stages = checkpoint.get("hidden_sizes") or [None]
    told = [checkpoint.get("hidden_size"), stages[-1], checkpoint.get("hidden_dim")]
    if "embed_dim" in checkpoint and "depths" in checkpoint:  # Swin doubles it with every stage
        told.append(checkpoint["embed_dim"] * 2 ** (len(checkpoint["depths"]) - 1))
    return first_width(told, model)


def vision_steps(checkpoint: Checkpoint, model: str) -> int:
    """Return T: patches, or cells of the last map; if unknown, a ConfigError."""
    size, stride = picture_size(model), _stride(checkpoint)
    if size is None or stride is None:
        raise ConfigError(
            f"checkpoint {model!r} does not say how many patches a picture has",
            hint="set extract.steps, or extract.pooling to mean",
        )
    count = ceil if _rounds_up(checkpoint) else int
    return count(size[0] / stride) * count(size[1] / stride)


def picture_size(model: str) -> Size | None:
    """Return the size of what reaches the network, where preprocessor_config.json fixes it."""
    path = find_file(model, "preprocessor_config.json")
    settings: dict[str, Any] = read_checkpoint_file(path, model) if path else {}
    if settings.get("do_pad") and settings.get("pad_size"):
        return _square(settings["pad_size"])
    if settings.get("do_center_crop", True) and settings.get("crop_size"):
        return _square(settings["crop_size"])
    kind = settings.get("image_processor_type") or settings.get("feature_extractor_type") or ""
    size = settings.get("size")
    if "crop_pct" in settings or str(kind).startswith(_SQUARE_CROPS):
        return _square(size["shortest_edge"] if isinstance(size, dict) else size)
    return _square(size)


def _square(size: Any) -> Size | None:  # noqa: ANN401 (JSON)
    match size:
        case int():
            return size, size
        case {"height": int(height), "width": int(width)}:
            return height, width
        case _:
            return None


def _stride(checkpoint: Checkpoint) -> int | None:
    """Return how many pixels of a side one patch, or one cell of the last map, covers."""
    patch = checkpoint.get("patch_size")
    match checkpoint.get("model_type"):
        case "swin" | "swinv2" | "convnext" | "convnextv2":
            stages = len(checkpoint.get("depths") or [0] * 4)
            return (patch or 4) * 2 ** (stages - 1)
        case "resnet":
            stages = len(checkpoint.get("depths") or [0] * 4)
            return 4 * 2 ** (stages - 1 + bool(checkpoint.get("downsample_in_first_stage")))
        case "mobilenet_v1" | "mobilenet_v2":
            return checkpoint.get("output_stride", 32)
        case _:
            return patch if isinstance(patch, int) and "depths" not in checkpoint else None


def _rounds_up(checkpoint: Checkpoint) -> bool:
    """Return whether a patch that the picture does not fill counts."""
    return str(checkpoint.get("model_type")).startswith(("swin", "resnet", "mobilenet"))


def _mobilenet_v2_width(checkpoint: Checkpoint, scale: float) -> int:
    if checkpoint.get("finegrained_output", True) and scale < 1.0:
        return 1280
    divisor = checkpoint.get("depth_divisible_by", 8)
    wanted = round(1280 * scale)
    width = max(checkpoint.get("min_depth", 8), int(wanted + divisor / 2) // divisor * divisor)
    return width + divisor if width < 0.9 * wanted else width
