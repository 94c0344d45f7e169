"""A pretrained vision network over pixels. Axes: B batch, H W image, T cells, F hidden size."""

import warnings
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from mmray.core.file.atomic import read_json
from mmray.core.spec import FeatureSpec
from mmray.errors import ConfigError
from mmray.features.image.load import load_preprocess, network_class
from mmray.features.image.network import prefix_tokens
from mmray.models.encoders.encoded import Encoded
from mmray.models.encoders.pretrained.base import FACTS_FILE, PretrainedEncoder, Settings
from mmray.models.encoders.pretrained.brightness import Brightness, brightness_facts
from mmray.models.encoders.pretrained.network import drop_pooler, load_network
from mmray.models.encoders.pretrained.tuning import Tuning

Pooling = Literal["pooled", "cls", "mean"]


class ImageReader:
    """Runs a vision network over pictures, normalised as the checkpoint's preprocessing does."""

    def __init__(self, network: Any, facts: dict[str, Any], pooling: Pooling) -> None:  # noqa: ANN401
        self._scale = Brightness(facts["slope"], facts["black"])
        self._pooling: Pooling = pooling
        self._prefix = prefix_tokens(network)
        self._has_pooler: bool = facts["has_pooler"]

    def __call__(self, network: Any, values: Tensor, lengths: Tensor | None) -> Encoded:  # noqa: ANN401
        """Return the states of all cells (B, T, F) and the pooled one (B, F) of (B, H, W, 3)."""
        output = network(pixel_values=self._scale(values))  # of (B, 3, H, W)
        maps = getattr(output, "feature_maps", None)
        hidden: Tensor = maps[-1] if maps else output.last_hidden_state
        is_map = hidden.ndim == 4
        if is_map:
            hidden = hidden.flatten(2).transpose(1, 2)  # (B, T, F): a map's cells, row by row
        cells = hidden if is_map else hidden[:, self._prefix :]
        mask = torch.ones(cells.shape[:2], dtype=torch.bool, device=cells.device)
        return Encoded(cells, mask, self._pool(output, hidden, cells))

    def _pool(self, output: Any, hidden: Tensor, cells: Tensor) -> Tensor:  # noqa: ANN401
        pooled = getattr(output, "pooler_output", None)
        has_class_token = hidden is not cells and self._prefix
        if self._pooling == "pooled" and self._has_pooler and pooled is not None:
            return pooled.flatten(1)  # (B, F)
        if self._pooling == "mean" or (self._pooling == "pooled" and not has_class_token):
            return cells.mean(dim=1)  # (B, F)
        return hidden[:, 0]  # (B, F)


def build_image_encoder(
    model: str,
    spec: FeatureSpec,
    *,
    pooling: Pooling,
    width: int,
    tuning: Tuning,
    saved: Path | None,
) -> PretrainedEncoder:
    """Build the encoder of a checkpoint, or of the settings in ``saved`` without its weights."""
    # Pictures lie channels last, which is quick. Data parallelism then finds the gradients of a
    # kernel of one pixel in that order too, although both orders are the same in memory.
    warnings.filterwarnings("ignore", message="Grad strides do not match bucket view strides")
    loader = network_class(model if saved is None else str(saved))
    loaded, has_pooler = load_network(model, saved, loader=loader, unused=_OTHER_HALF)
    network: Any = getattr(loaded, "vision_model", loaded)
    if saved is None:
        values = load_preprocess(model).values
        facts = brightness_facts(values, model) | {"has_pooler": has_pooler}
    else:
        facts = read_json(saved / FACTS_FILE)
    if pooling != "pooled" or not facts["has_pooler"]:
        drop_pooler(network)
    if pooling == "cls" and not prefix_tokens(network):
        raise ConfigError(
            f"checkpoint {model!r} has no class token", hint="set encode.pooling to pooled"
        )
    example = torch.zeros(1, *spec.shape[-3:], dtype=torch.uint8)
    settings = Settings(loaded.config, facts)
    reader = ImageReader(network, facts, pooling)
    try:
        return PretrainedEncoder(
            network, reader, example, width=width, tuning=tuning, settings=settings
        )
    except (ValueError, TypeError, RuntimeError, AttributeError) as error:
        height, across = spec.shape[-3:-1]
        raise ConfigError(
            f"checkpoint {model!r} cannot take a picture of {across} x {height}: "
            f"{str(error).splitlines()[0]}",
            hint="set extract.height and extract.width to the size that it was trained on",
        ) from error


_OTHER_HALF = ("text_model.", "visual_projection", "text_projection", "logit")
