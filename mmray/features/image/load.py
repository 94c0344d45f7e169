"""A vision checkpoint from disk or hub: its network and its preprocessing."""

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from transformers import (
    MODEL_FOR_BACKBONE_MAPPING,
    MODEL_MAPPING,
    AutoConfig,
    AutoImageProcessor,
    AutoModel,
)

from mmray.errors import ConfigError
from mmray.features.checkpoints.checkpoint import NO_CODE, check_complete
from mmray.features.checkpoints.loading import loading, read_weights
from mmray.features.image.preprocess import SETTINGS, Preprocess, read_preprocess

_NEEDS = "config.json, weights and preprocessor_config.json"


def load_network(model: str) -> tuple[Any, bool]:
    """Return the frozen float32 network, and whether its pooler, if any, was trained.

    Of a checkpoint for pictures and text it is the half for pictures. What cannot be loaded or
    lacks weights is a ConfigError.
    """
    with loading(model, needs=_NEEDS):
        loaded, found = read_weights(model, network_class(model))
    # Without trained weights the pooler is random: the first token is used in its place.
    has_pooler = check_complete(model, found)
    network: Any = getattr(loaded, "vision_model", loaded)
    return network.eval().requires_grad_(False), has_pooler


def network_class(model: str) -> Any:  # noqa: ANN401 (a class of transformers)
    """Return what loads the checkpoint: families that are backbones alone are no AutoModel."""
    family = type(AutoConfig.from_pretrained(model, **NO_CODE))
    is_backbone = family not in MODEL_MAPPING and family in MODEL_FOR_BACKBONE_MAPPING
    return MODEL_FOR_BACKBONE_MAPPING[family] if is_backbone else AutoModel


def load_preprocess(model: str) -> Preprocess:
    """Return the checkpoint's preprocessing; one that ours does not equal is a ConfigError."""
    with loading(model, needs=_NEEDS):
        processor: Any = AutoImageProcessor.from_pretrained(model, backend="pil", **NO_CODE)
        settings = {key: getattr(processor, key, None) for key in SETTINGS}
        preprocess = read_preprocess(settings, brightness_values(processor), model)
        _check_agreement(preprocess, processor, model)
    return preprocess


def brightness_values(processor: Any) -> npt.NDArray[np.float32]:  # noqa: ANN401
    """Return the processor's output for each of the 256 brightnesses, ``(3, 256)``."""
    ramp = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, axis=2)  # (16, 16, 3)
    options = {"do_resize": False, "do_center_crop": False, "do_pad": False}
    values = processor(Image.fromarray(ramp), return_tensors="np", **options)["pixel_values"]
    return np.asarray(values, dtype=np.float32).reshape(3, 256)


def _check_agreement(preprocess: Preprocess, processor: Any, model: str) -> None:  # noqa: ANN401
    """Refuse a checkpoint whose processor does something that ours does not."""
    noise = np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    picture = Image.fromarray(noise)
    expected = np.asarray(processor(picture, return_tensors="np")["pixel_values"][0])
    ours = preprocess.normalise(preprocess.resize(picture))
    if expected.shape != ours.shape or np.abs(expected - ours).max() > 1e-3:
        raise ConfigError(
            f"the preprocessing of checkpoint {model!r} ({type(processor).__name__}) is unknown",
            hint="use {kind: custom, factory: ...} for this checkpoint",
        )
