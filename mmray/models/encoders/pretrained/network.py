"""The network of a checkpoint to train, or one like it that is filled with trained weights."""

from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModel

from mmray.errors import ConfigError
from mmray.features.checkpoints.checkpoint import NO_CODE, check_complete, quiet_loading
from mmray.features.checkpoints.loading import loading, read_weights

_OFF = (
    "layerdrop", "encoder_layerdrop", "drop_path_rate", "drop_connect_rate", "apply_spec_augment",
    "use_cache",
)  # fmt: skip
"""Settings that drop layers or hide time at random, so that some weights would get no gradient, and
caches for generating text."""
_UNUSED = ("masked_spec_embed",)
"""Weights that a checkpoint may lack: they only mask while it is pretrained."""


def load_network(
    model: str,
    saved: Path | None,
    *,
    loader: Any = AutoModel,  # noqa: ANN401 (a class of transformers)
    unused: tuple[str, ...] = (),
) -> tuple[Any, bool]:
    """Return the float32 network of ``model``, and whether a pooler in it was trained.

    With ``saved``, a folder with config.json, it is one of that shape whose weights are to come.
    Weights that begin with ``unused`` need not be there.
    """
    if saved is not None:
        if not (saved / "config.json").is_file():
            raise ConfigError(f"there is no config.json in {str(saved)!r}")
        with quiet_loading():
            return _of_shape(AutoConfig.from_pretrained(saved, **NO_CODE), loader), True
    with loading(model, needs="config.json and weights"):
        config: Any = AutoConfig.from_pretrained(model, **NO_CODE)
        for name in _OFF:
            if (before := getattr(config, name, None)) is not None:
                setattr(config, name, type(before)(0))  # some insist on int, some on float
        loaded, found = read_weights(model, loader, config=config)
    needed = [
        key
        for key in found["missing_keys"]
        if not (unused and key.startswith(unused)) and not key.endswith(_UNUSED)
    ]
    return loaded, check_complete(model, {"missing_keys": needed})


def drop_pooler(network: Any) -> None:  # noqa: ANN401 (transformers)
    """Remove a pooler that has weights but is unused or untrained."""
    pooler = getattr(network, "pooler", None)
    if isinstance(pooler, torch.nn.Module) and next(pooler.parameters(), None) is not None:
        network.pooler = None


def _of_shape(config: Any, loader: Any) -> Any:  # noqa: ANN401 (transformers)
    return loader.from_config(config, **NO_CODE) if loader is AutoModel else loader(config)
