"""The longest text of a checkpoint and its depth, by its config.json."""

from collections.abc import Mapping
from typing import Any

from mmray.errors import ConfigError

_AFTER_PADDING = ("roberta", "camembert", "mpnet", "longformer", "esm", "data2vec-text", "xmod")
"""Families, or parts of their names, that number positions from the padding's id on."""
LAYERS = ("num_hidden_layers", "encoder_layers", "num_layers", "n_layers", "n_layer")
"""Names of the number of layers in config.json."""


def text_settings(checkpoint: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the part of a config.json that is about text."""
    part = checkpoint.get("text_config")
    return part if isinstance(part, dict) else checkpoint


def check_positions(model: str, settings: Mapping[str, Any], max_tokens: int) -> None:
    """Refuse more tokens than the checkpoint has positions for."""
    limit = settings.get("max_position_embeddings")
    if not isinstance(limit, int) or limit <= 0:
        return
    if any(name in str(settings.get("model_type")) for name in _AFTER_PADDING):
        limit -= (settings.get("pad_token_id") or 0) + 1
    if limit < max_tokens:
        raise ConfigError(
            f"max_tokens ({max_tokens}) is more than {model!r} has positions for",
            hint=f"set max_tokens to {limit} or less",
        )


def check_layer(model: str, settings: Mapping[str, Any], layer: int) -> None:
    """Refuse a layer that the checkpoint does not have, if its config.json states their number."""
    count = next((settings[key] for key in LAYERS if isinstance(settings.get(key), int)), None)
    if count is not None and not -count - 1 <= layer <= count:
        raise ConfigError(
            f"{model!r} has no layer {layer}",
            hint=f"set extract.layer to 0 (embedding) ... {count}, or -1 for the last",
        )
