"""A pretrained speech encoder over a waveform. Axes: B batch, S samples, T frames, F hidden."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from jaxtyping import Bool, Float, Integer
from torch import Tensor
from torch.nn import functional as F
from transformers import AutoFeatureExtractor

from mmray.core.file.atomic import read_json
from mmray.features.audio.checkpoint.family import read_family
from mmray.features.checkpoints.checkpoint import NO_CODE, quiet_loading
from mmray.models.encoders.encoded import Encoded, at_least_one, length_mask
from mmray.models.encoders.pretrained.base import FACTS_FILE, PretrainedEncoder, Settings
from mmray.models.encoders.pretrained.network import load_network
from mmray.models.encoders.pretrained.pooling import pool_steps
from mmray.models.encoders.pretrained.tuning import Tuning
from mmray.models.encoders.pretrained.whisper import FRONT, WhisperReader

Pooling = Literal["mean", "max"]
_LEAST_VARIANCE = 1e-7
"""As the preprocessing of wav2vec 2 adds before it divides."""


class WaveformReader:
    """Runs a speech network over samples, up to each clip's length.

    A network with group normalisation averages over time and has no padding mask: it runs once for
    each length in the batch.
    """

    def __init__(self, facts: dict[str, Any], pooling: Pooling) -> None:
        self._convolutions: list[tuple[int, int]] = [(k, s) for k, s in facts["convolutions"]]
        self._shortest: int = facts["shortest"]
        self._is_masked: bool = facts["is_masked"]
        self._normalises: bool = facts["normalises"]
        self._pooling: Pooling = pooling

    def __call__(self, network: Any, values: Tensor, lengths: Tensor | None) -> Encoded:  # noqa: ANN401
        """Return the hidden states (B, T, F) and the pooled one (B, F) of (B, S, 1)."""
        waves, lengths = self._prepared(values, lengths)
        hidden = self._run(network, waves, lengths)  # (B, T, F)
        mask = length_mask(frames_of(lengths, self._convolutions), hidden.shape[1])
        return Encoded(hidden, mask, pool_steps(hidden, mask, self._pooling))

    def _prepared(
        self, values: Float[Tensor, "B S 1"], lengths: Tensor | None
    ) -> tuple[Float[Tensor, "B _"], Integer[Tensor, " B"]]:
        """Return waveforms of at least one frame, silent where they are padded."""
        waves = values.squeeze(-1).float()
        real = at_least_one(values, lengths)
        waves = waves * length_mask(real, waves.shape[1])
        waves = F.pad(waves, (0, max(0, self._shortest - waves.shape[1])))
        lengths = real.clamp(min=self._shortest)
        inside = length_mask(lengths, waves.shape[1])
        return (standardised(waves, inside) if self._normalises else waves), lengths

    def _run(self, network: Any, waves: Tensor, lengths: Tensor) -> Tensor:  # noqa: ANN401
        if self._is_masked:
            inside = length_mask(lengths, waves.shape[1]).long()
            return network(waves, attention_mask=inside).last_hidden_state
        return self._run_each_length(network, waves, lengths)

    def _run_each_length(self, network: Any, waves: Tensor, lengths: Tensor) -> Tensor:  # noqa: ANN401
        order, parts = [], []
        for length in lengths.unique().tolist():
            rows = (lengths == length).nonzero()[:, 0]
            order.append(rows)
            parts.append(network(waves[rows, :length]).last_hidden_state)  # (b, t, F)
        longest = max(part.shape[1] for part in parts)
        padded = [F.pad(part, (0, 0, 0, longest - part.shape[1])) for part in parts]
        return torch.cat(padded)[torch.cat(order).argsort()]


def build_audio_encoder(
    model: str, *, pooling: Pooling, width: int, tuning: Tuning, saved: Path | None
) -> PretrainedEncoder:
    """Build the encoder of a checkpoint, or of the settings in ``saved`` without its weights."""
    # WavLM: its masks are of two types, which torch announces to refuse one day.
    warnings.filterwarnings("ignore", message="Support for mismatched key_padding_mask")
    loaded, _ = load_network(model, saved, unused=("decoder.",))
    facts = _facts(model) if saved is None else read_json(saved / FACTS_FILE)
    settings = Settings(loaded.config, facts)
    if facts["family"] == "whisper":
        network, reader = loaded.get_encoder(), WhisperReader(facts["front"], pooling)
        example = torch.zeros(1, 1, 1)
    else:
        network, reader = loaded, WaveformReader(facts, pooling)
        example = torch.zeros(1, facts["shortest"], 1)
        if hasattr(network, "masked_spec_embed"):  # hides time while a checkpoint is pretrained
            del network.masked_spec_embed
    return PretrainedEncoder(
        network, reader, example, width=width, tuning=tuning, settings=settings
    )


def frames_of(
    lengths: Integer[Tensor, " B"], convolutions: Sequence[tuple[int, int]]
) -> Integer[Tensor, " B"]:
    """Return how many hidden states each waveform becomes, by kernel and stride."""
    for kernel, stride in convolutions:
        lengths = (lengths - kernel) // stride + 1
    return lengths


def standardised(waves: Float[Tensor, "B S"], inside: Bool[Tensor, "B S"]) -> Float[Tensor, "B S"]:
    """Give each waveform a mean of zero and a variance of one over its own length."""
    count = inside.sum(dim=1, keepdim=True)
    centred = (waves - waves.sum(dim=1, keepdim=True) / count) * inside
    variance = centred.square().sum(dim=1, keepdim=True) / count
    return centred * torch.rsqrt(variance + _LEAST_VARIANCE)


def _facts(model: str) -> dict[str, Any]:
    family = read_family(model)
    with quiet_loading():
        front: Any = AutoFeatureExtractor.from_pretrained(model, **NO_CODE)
    if family.name == "whisper":
        return {"family": "whisper", "front": {name: getattr(front, name) for name in FRONT}}
    return {
        "family": family.name,
        "convolutions": [list(pair) for pair in family.convolutions],
        "shortest": family.shortest,
        "is_masked": family.is_masked,
        "normalises": bool(front.do_normalize),
    }
