"""A pretrained text encoder, frozen. Axes: B batch, T tokens, F hidden size."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import torch
from transformers import AutoModel, AutoTokenizer

from mmray.core.spec import FeatureSpec
from mmray.errors import ConfigError
from mmray.features.checkpoint import check_complete, quiet_loading
from mmray.features.extractor import Feature

Pooling = Literal["cls", "mean", "sequence"]


class HFTextExtractor:
    """The last hidden states: the first token's, their mean, or all of them."""

    def __init__(
        self,
        spec: FeatureSpec,
        model: str,
        decode: Callable[[bytes], str],
        *,
        pooling: Pooling,
        max_tokens: int,
        batch_size: int,
    ) -> None:
        self.spec = spec
        self._decode = decode
        self._pooling: Pooling = pooling
        self._max_tokens = max_tokens
        self._batch_size = batch_size
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._tokenizer, self._model = _load(model)
        self._model.to(self._device)
        width = self.extract(["a"])[0].shape[-1]
        if width != spec.shape[-1]:
            raise ConfigError(
                f"checkpoint {model!r} gives features of {width}, not {spec.shape[-1]}",
                hint=f"set extract.dim to {width}",
            )

    def decode(self, payload: bytes) -> str:
        """Return the clean text."""
        return self._decode(payload)

    def extract(self, decoded: Sequence[str]) -> list[Feature]:
        """Return ``(F,)``, or ``(T, F)`` when all hidden states are kept, per text."""
        ids = self._tokenizer(
            list(decoded), truncation=True, max_length=self._max_tokens, padding=False
        )["input_ids"]
        features: dict[int, Feature] = {}
        # Neighbours in length share a batch: padding costs as much as text.
        order = sorted(range(len(ids)), key=lambda row: len(ids[row]))
        for start in range(0, len(order), self._batch_size):
            rows = order[start : start + self._batch_size]
            pooled = self._run([ids[row] or [0] for row in rows])
            features.update(zip(rows, pooled, strict=True))
        return [features[row] for row in range(len(ids))]

    @torch.inference_mode()
    def _run(self, ids: list[list[int]]) -> list[Feature]:
        lengths = [len(row) for row in ids]
        padded = torch.full((len(ids), max(lengths)), self._tokenizer.pad_token_id or 0)  # (B, T)
        mask = torch.zeros_like(padded)  # (B, T)
        for row, tokens in enumerate(ids):
            padded[row, : len(tokens)] = torch.tensor(tokens)
            mask[row, : len(tokens)] = 1
        padded, mask = padded.to(self._device), mask.to(self._device)
        output = self._model(input_ids=padded, attention_mask=mask)
        hidden = output.last_hidden_state.float()  # (B, T, F)
        match self._pooling:
            case "cls":
                pooled = hidden[:, 0]  # (B, F)
            case "mean":
                kept = mask.unsqueeze(-1)  # (B, T, 1)
                pooled = (hidden * kept).sum(dim=1) / kept.sum(dim=1)  # (B, F)
            case "sequence":
                values = hidden.cpu().numpy()
                return [values[row, :length].copy() for row, length in enumerate(lengths)]
        return list(np.asarray(pooled.cpu().numpy()))


def _load(model: str) -> tuple[Any, Any]:
    with quiet_loading():
        try:
            tokenizer: Any = AutoTokenizer.from_pretrained(model)
            loaded, loading = AutoModel.from_pretrained(
                model, dtype=torch.float32, output_loading_info=True
            )
        except (OSError, ValueError, ImportError) as error:
            raise ConfigError(
                f"cannot load checkpoint {model!r}: {str(error).splitlines()[0]}",
                hint="it needs config.json, weights and a tokenizer",
            ) from error
    check_complete(model, loading)
    network: Any = loaded.get_encoder() if loaded.config.is_encoder_decoder else loaded
    return tokenizer, network.eval().requires_grad_(False)
