"""A pretrained text encoder over token ids. Axes: B batch, T tokens, F hidden size."""

from pathlib import Path
from typing import Any, Literal

import torch
from jaxtyping import Integer
from torch import Tensor
from torch.nn import functional as F

from mmray.core.file.atomic import read_json
from mmray.core.spec import FeatureSpec
from mmray.features.text.hf_model import POOLING, SEEING_PADDING, text_half
from mmray.features.text.tokenizer import load_ready, pad_id, pad_token
from mmray.models.encoders.encoded import Encoded, at_least_one, length_mask
from mmray.models.encoders.pretrained.base import FACTS_FILE, PretrainedEncoder, Settings
from mmray.models.encoders.pretrained.network import drop_pooler, load_network
from mmray.models.encoders.pretrained.pooling import pool_steps
from mmray.models.encoders.pretrained.tuning import Tuning

Pooling = Literal["cls", "mean", "max"]
_OTHER_HALF = (
    "vision_model.", "visual_projection", "text_projection", "logit", "decoder.",
)  # fmt: skip


class TextReader:
    """Runs a text network over ids of ``extract: tokens``, of which 0 pads."""

    def __init__(self, network: Any, pad: int | None, spec: FeatureSpec, pooling: Pooling) -> None:  # noqa: ANN401
        self._ids = checkpoint_ids(spec.vocabulary, pad)  # (vocabulary,)
        self._max_tokens = spec.shape[0]
        self._pooling: Pooling = pooling
        kind = network.config.model_type
        self._sees_padding = kind in SEEING_PADDING
        self._pools = kind in POOLING and pooling == "cls"

    def __call__(self, network: Any, values: Tensor, lengths: Tensor | None) -> Encoded:  # noqa: ANN401
        """Return hidden states (B, T, F) and the pooled one (B, F) of ids (B, T)."""
        steps = values.shape[1]
        mask = length_mask(at_least_one(values, lengths), steps)  # (B, T)
        self._ids = self._ids.to(values.device)
        ids = self._ids[values.masked_fill(~mask, 0).long()]
        if self._sees_padding:  # trained on texts of one length, with nothing hidden
            ids = F.pad(ids, (0, self._max_tokens - steps), value=int(self._ids[0]))
        output = network(input_ids=ids, attention_mask=None if self._sees_padding else mask.long())
        hidden = output.last_hidden_state[:, :steps]  # (B, T, F)
        if self._pools:
            return Encoded(hidden, mask, output.pooler_output)
        return Encoded(hidden, mask, pool_steps(hidden, mask, self._pooling))


def build_text_encoder(
    model: str,
    spec: FeatureSpec,
    *,
    pooling: Pooling,
    width: int,
    tuning: Tuning,
    saved: Path | None,
) -> PretrainedEncoder:
    """Build the encoder of a checkpoint, or of the settings in ``saved`` without its weights."""
    loaded, _ = load_network(model, saved, unused=_OTHER_HALF)
    network, _ = text_half(loaded)
    facts = {"pad": _pad_of(model)} if saved is None else read_json(saved / FACTS_FILE)
    if network.config.model_type not in POOLING:
        drop_pooler(network)
    settings = Settings(loaded.config, facts)
    reader = TextReader(network, facts["pad"], spec, pooling)
    example = torch.ones(1, 2, dtype=torch.int32)
    return PretrainedEncoder(
        network, reader, example, width=width, tuning=tuning, settings=settings
    )


def checkpoint_ids(vocabulary: int, pad: int | None) -> Integer[Tensor, " V"]:
    """Return the checkpoint's id for each of ours: the reverse of what ``extract: tokens`` does.

    A tokenizer without padding had its ids moved up by one; what pads is then never looked at.
    """
    if pad is None:
        return (torch.arange(vocabulary) - 1).clamp(min=0)
    ids = torch.arange(vocabulary)
    ids[0], ids[pad] = pad, 0
    return ids


def _pad_of(model: str) -> int | None:
    return pad_id(load_ready(model), pad_token(model))
