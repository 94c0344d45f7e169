"""A pretrained text encoder, frozen. Axes: B batch, T tokens, F hidden size."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch

from mmray.core.spec import FeatureSpec
from mmray.errors import ConfigError
from mmray.features.extractor import Feature
from mmray.features.text.hf_model import load_text_model
from mmray.features.text.window import cut_batches, join_windows

Pooling = Literal["cls", "mean", "max", "sequence"]


@dataclass(frozen=True, slots=True)
class Reading:
    """Settings of reading texts and pooling hidden states."""

    pooling: Pooling = "cls"
    layer: int = -1
    normalise: bool = False
    max_tokens: int = 128
    overlap: int | None = None
    """Tokens that neighbouring windows share; None cuts a long text off."""
    batch_size: int = 32


class HFTextExtractor:
    """Hidden states of one layer: the first token's, their mean or maximum, or all of them."""

    def __init__(
        self, spec: FeatureSpec, model: str, decode: Callable[[bytes], str], reading: Reading
    ) -> None:
        self.spec = spec
        self.decode = decode
        self._reading = reading
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._loaded = load_text_model(model, reading.max_tokens)
        self._loaded.network.to(self._device)
        self._check(model)

    def extract(self, decoded: Sequence[str]) -> list[Feature]:
        """Return ``(F,)``, or ``(T, F)`` when all hidden states are kept, per text."""
        if not decoded:
            return []
        ids, owners = self._tokenise(decoded)
        lengths = [len(row) for row in ids]
        pooled: dict[int, Feature] = {}
        budget = self._reading.batch_size * self._reading.max_tokens
        for rows in cut_batches(lengths, budget):
            pooled.update(zip(rows, self._run([ids[row] for row in rows]), strict=True))
        windows = [pooled[row] for row in range(len(ids))]
        if self._reading.overlap is not None:
            is_max = self._reading.pooling == "max"
            windows = join_windows(windows, lengths, owners, is_max=is_max)
        return [_normalised(one) for one in windows] if self._reading.normalise else windows

    def _tokenise(self, texts: Sequence[str]) -> tuple[list[list[int]], list[int]]:
        """Return the ids of every window, and the place of its text."""
        options: dict[str, Any] = {"truncation": True, "max_length": self._reading.max_tokens}
        if self._reading.overlap is not None:
            options |= {"stride": self._reading.overlap, "return_overflowing_tokens": True}
        encoded = self._loaded.tokenizer(list(texts), padding=False, **options)
        unknown = self._loaded.tokenizer.unk_token_id or 0
        ids = [list(row) or [unknown] for row in encoded["input_ids"]]
        return ids, list(encoded.get("overflow_to_sample_mapping", range(len(ids))))

    @torch.inference_mode()
    def _run(self, ids: list[list[int]]) -> list[Feature]:
        """Return the pooled hidden states of each window."""
        lengths = [len(row) for row in ids]
        padded, mask = (part.to(self._device) for part in self._padded(ids))  # (B, T) each
        is_last = self._reading.layer == -1
        output = self._loaded.network(
            input_ids=padded,
            attention_mask=None if self._loaded.sees_padding else mask,
            output_hidden_states=not is_last,
        )
        states = output.last_hidden_state if is_last else output.hidden_states[self._reading.layer]
        hidden = states.float()  # (B, T, F)
        kept = mask.unsqueeze(-1)  # (B, T, 1)
        match self._reading.pooling:
            case "cls":
                pooled = output.pooler_output.float() if self._loaded.pools else hidden[:, 0]
            case "mean":
                pooled = (hidden * kept).sum(dim=1) / kept.sum(dim=1)  # (B, F)
            case "max":
                pooled = hidden.masked_fill(kept == 0, -torch.inf).amax(dim=1)  # (B, F)
            case "sequence":
                values = hidden.cpu().numpy()
                return [values[row, :length].copy() for row, length in enumerate(lengths)]
        return list(np.asarray(pooled.cpu().numpy()))

    def _padded(self, ids: list[list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return ids and mask, ``(B, T)`` each, padded on the right."""
        longest = max(len(row) for row in ids)
        width = self._reading.max_tokens if self._loaded.sees_padding else longest
        pad = self._loaded.tokenizer.pad_token_id or 0
        padded = torch.tensor([row + [pad] * (width - len(row)) for row in ids])  # (B, T)
        lengths = torch.tensor([len(row) for row in ids])  # (B,)
        return padded, (torch.arange(width) < lengths.unsqueeze(-1)).long()

    def _check(self, model: str) -> None:
        """Refuse a width that is not the declared one, and a token that knows nothing of a text."""
        reading = self._reading
        if reading.overlap is not None and not self._loaded.tokenizer.is_fast:
            raise ConfigError(
                f"the tokenizer of checkpoint {model!r} cannot cut a long text into windows",
                hint="set extract.long_text to truncate, or use a checkpoint with tokenizer.json",
            )
        if reading.pooling == "cls" and self._loaded.pools and reading.layer != -1:
            raise ConfigError(
                f"the 'cls' of {model!r} is of its last layer, not of layer {reading.layer}",
                hint="leave extract.layer out, or set extract.pooling to mean or max",
            )
        first, second = self.extract(["a", "a b"])
        if first.shape[-1] != self.spec.shape[-1]:
            raise ConfigError(
                f"checkpoint {model!r} gives features of {first.shape[-1]},"
                f" not {self.spec.shape[-1]}",
                hint=f"set extract.dim to {first.shape[-1]}",
            )
        if reading.pooling == "cls" and np.allclose(first, second, atol=1e-7):
            raise ConfigError(
                f"in layer {reading.layer}, the first token of {model!r} ignores the text",
                hint="set extract.pooling to mean or max",
            )


def _normalised(feature: Feature) -> Feature:
    length = np.linalg.norm(feature, axis=-1, keepdims=True)
    return feature / np.maximum(length, 1e-12)
