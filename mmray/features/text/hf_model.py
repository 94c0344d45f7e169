"""Pretrained text encoders: bare, halves of a model for pictures and text, or of a translator."""

from dataclasses import dataclass
from typing import Any

from transformers import AutoTokenizer

from mmray.features.checkpoints.checkpoint import NO_CODE, check_complete
from mmray.features.checkpoints.loading import loading, read_weights
from mmray.features.text.position import check_positions

POOLING = (
    "clip_text_model", "clipseg_text_model", "groupvit_text_model", "owlv2_text_model",
    "owlvit_text_model", "siglip_text_model", "siglip2_text_model", "xclip_text_model",
)  # fmt: skip
SEEING_PADDING = ("siglip_text_model", "siglip2_text_model")


@dataclass(frozen=True, slots=True)
class TextModel:
    """A network with the tokenizer that it was trained with."""

    tokenizer: Any
    network: Any
    pools: bool
    """Whether the network itself chooses the token that it pools."""
    sees_padding: bool
    """Whether it was trained on texts that are all padded to one length, with no mask."""


def load_text_model(model: str, max_tokens: int) -> TextModel:
    """Load the text encoder of a checkpoint in float32, ready to run and without gradients."""
    with loading(model, needs="config.json, weights and a tokenizer"):
        tokenizer: Any = AutoTokenizer.from_pretrained(model, **NO_CODE)
        loaded, found = read_weights(model)
    network, unused = text_half(loaded)
    needed = [key for key in found["missing_keys"] if not key.startswith(unused)]
    check_complete(model, {"missing_keys": needed})
    check_positions(model, network.config.to_dict(), max_tokens)
    kind = network.config.model_type
    return TextModel(
        tokenizer=tokenizer,
        network=network.eval().requires_grad_(False),
        pools=kind in POOLING,
        sees_padding=kind in SEEING_PADDING,
    )


def text_half(loaded: Any) -> tuple[Any, tuple[str, ...]]:  # noqa: ANN401 (any family's class)
    """Return the part that reads text, and how the names of all other weights begin."""
    if hasattr(loaded, "encoder") and hasattr(loaded, "decoder"):
        return loaded.get_encoder(), ("decoder.",)
    if hasattr(loaded, "text_model"):
        return loaded.text_model, ("vision_model.", "visual_projection", "text_projection", "logit")
    return loaded, ()
