"""The metadata of a video checkpoint, read without torch or transformers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from mmray.errors import ConfigError
from mmray.features.checkpoints.checkpoint import (
    find_file,
    first_width,
    read_checkpoint_config,
    read_checkpoint_file,
)
from mmray.features.image.preprocess import Preprocess, read_preprocess

FAMILIES = ("videomae", "timesformer", "vivit", "vjepa2")
_SETTINGS_FILES = ("preprocessor_config.json", "video_preprocessor_config.json")
_DEFAULTS = {
    "do_resize": True, "do_center_crop": True, "do_rescale": True, "do_normalize": True,
    "rescale_factor": 1 / 255, "resample": Image.Resampling.BILINEAR,
}  # fmt: skip

_VJEPA2 = {"crop_size": 256, "frames_per_clip": 64, "tubelet_size": 2, "hidden_size": 1024}
_IMAGENET = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}


@dataclass(frozen=True, slots=True)
class VideoCheckpoint:
    """The input and output that a checkpoint was trained for."""

    frames: int
    """Those that it was trained with."""
    tubelet: int | None
    """Divisor of the number of frames, if any number is accepted."""
    width: int
    """Size of the feature (F)."""
    preprocess: Preprocess


def read_video_checkpoint(model: str) -> VideoCheckpoint:
    """Read frames, sizes and brightness from the checkpoint's files.

    What is not of a known family, or contradicts itself, is a ConfigError.
    """
    config = read_checkpoint_config(model)
    family = config.get("model_type")
    if family not in FAMILIES:
        raise ConfigError(
            f"checkpoint {model!r} is of type {family!r}, which is not supported",
            hint=f"types of video models: {', '.join(FAMILIES)}; or {{kind: hf_image}} per frame",
        )
    settings = _read_settings(model)
    if family == "vjepa2":
        config = _VJEPA2 | config
        settings = _vjepa2_settings(settings, config["crop_size"])
    preprocess = read_video_preprocess(settings, model)
    side = config.get("crop_size" if family == "vjepa2" else "image_size", 224)
    picture = np.zeros((2 * side, 3 * side, 3), dtype=np.uint8)
    size = preprocess.resize(Image.fromarray(picture)).shape[:2]
    if size != (side, side):
        raise ConfigError(
            f"checkpoint {model!r} takes frames of {side} x {side}, and its preprocessing gives"
            f" {size[0]} x {size[1]}",
            hint="config.json and preprocessor_config.json belong to different models",
        )
    width = first_width([config.get("hidden_size")], model)
    if family == "vjepa2":
        return VideoCheckpoint(config["frames_per_clip"], config["tubelet_size"], width, preprocess)
    frames = config.get("num_frames", 32 if family == "vivit" else 16)
    return VideoCheckpoint(frames, None, width, preprocess)


def read_video_preprocess(told: dict[str, Any], model: str) -> Preprocess:
    """Turn the settings of a video processor into those of a picture's preprocessing."""
    settings = _DEFAULTS | told
    size = settings.get("size")
    if isinstance(size, int):  # as older checkpoints say it
        settings["size"] = {"shortest_edge": size}
    crop = settings.get("crop_size", 224)
    if isinstance(crop, int):
        settings["crop_size"] = {"height": crop, "width": crop}
    needed = ("size", *(("image_mean", "image_std") if settings["do_normalize"] else ()))
    lacking = [key for key in needed if not settings.get(key)]
    if lacking:
        raise ConfigError(
            f"the preprocessing of checkpoint {model!r} does not state {', '.join(lacking)}",
            hint="complete its preprocessor_config.json",
        )
    if _is_offset(settings):
        # Brightness is moved to [-1, 1] before it is normalised: the same as another mean.
        shift = np.asarray(settings.get("image_mean", 0.0), dtype=np.float64) + 1.0
        settings["image_mean"] = np.broadcast_to(shift, 3).tolist()
        settings["image_std"] = settings.get("image_std") or [1.0] * 3
        settings["do_normalize"] = True
    return read_preprocess(settings, _brightness_values(settings), model)


def _vjepa2_settings(told: dict[str, Any], side: int) -> dict[str, Any]:
    """Return the settings with the size that the processor uses, whatever the file says."""
    crop = told.get("crop_size", side)
    crop = crop["height"] if isinstance(crop, dict) else crop
    return _IMAGENET | told | {"crop_size": crop, "size": {"shortest_edge": int(crop * 256 / 224)}}


def _brightness_values(settings: Mapping[str, Any]) -> npt.NDArray[np.float32]:
    """Rescale and normalise every brightness of each colour, ``(3, 256)``, as transformers does."""
    factor = settings["rescale_factor"] if settings.get("do_rescale") else 1.0
    values = np.tile((np.arange(256) * factor).astype(np.float32), (3, 1))  # (3, 256)
    if not settings.get("do_normalize"):
        return values
    mean = np.asarray(settings["image_mean"], dtype=np.float32)
    deviation = np.asarray(settings["image_std"], dtype=np.float32)
    return (values - mean[:, None]) / deviation[:, None]


def _is_offset(settings: dict[str, Any]) -> bool:
    kind = settings.get("image_processor_type") or settings.get("feature_extractor_type") or ""
    return bool(settings.get("offset", str(kind).startswith("Vivit")))


def _read_settings(model: str) -> dict[str, Any]:
    for name in _SETTINGS_FILES:
        path = find_file(model, name)
        if path is not None:
            return read_checkpoint_file(path, model)
    raise ConfigError(
        f"checkpoint {model!r} has no preprocessor_config.json",
        hint="it states size, mean and deviation of the frames that the model was trained with",
    )
