"""An encoder around a pretrained network. Axes: B batch, T tokens, F hidden size, D width."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Shaped
from torch import Tensor, nn

from mmray.core.file.atomic import write_json
from mmray.models.batch_statistics import BatchNorm
from mmray.models.encoders.encoded import Encoded
from mmray.models.encoders.pretrained.tuning import (
    Tuning,
    call_order,
    learning_rates,
    set_trained,
)

FACTS_FILE = "encoder.json"

Read = Callable[[Any, Tensor, Tensor | None], Encoded]
"""From a network and a feature batch to hidden states (B, T, F) and a pooled one (B, F)."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The files from which an encoder is built without its checkpoint."""

    config: Any
    """The checkpoint's own, of transformers."""
    facts: Mapping[str, Any]
    """Other facts about the checkpoint, as plain JSON."""

    def save(self, folder: Path) -> None:
        """Write config.json and the facts; no weights."""
        folder.mkdir(parents=True, exist_ok=True)
        self.config.save_pretrained(str(folder))
        write_json(folder / FACTS_FILE, dict(self.facts))


class PretrainedEncoder(nn.Module):
    """A checkpoint's network, then layer normalisation and one affine map to the model's width.

    Batch normalisation keeps the statistics of the checkpoint, so that a sample's embedding never
    depends on the rest of its batch. A frozen network is always in evaluation mode.
    """

    def __init__(
        self,
        network: nn.Module,
        read: Read,
        example: Tensor,
        *,
        width: int,
        tuning: Tuning,
        settings: Settings,
    ) -> None:
        super().__init__()
        self.network = network
        self.settings = settings
        self._read = read
        self._tuning = tuning
        probe = partial(_pooled, read, network, example)
        self._order = call_order(network, tuning, probe)
        size = set_trained(network, tuning, probe, self._order)
        self.norm = nn.LayerNorm(size)
        self.project = nn.Linear(size, width)

    def forward(self, values: Shaped[Tensor, "B ..."], lengths: Tensor | None) -> Encoded:
        """Encode a batch of features."""
        hidden, mask, pooled = self.read(values, lengths)
        return Encoded(self.project(self.norm(hidden)), mask, self.project(self.norm(pooled)))

    def read(self, values: Shaped[Tensor, "B ..."], lengths: Tensor | None) -> Encoded:
        """Return what the network itself gives: hidden states (B, T, F) and a pooled one (B, F)."""
        is_learning = torch.is_grad_enabled() and self._tuning.tune != "frozen"
        with torch.set_grad_enabled(is_learning):
            return self._read(self.network, values, lengths)

    def train(self, mode: bool = True) -> "PretrainedEncoder":
        """Set the mode; what is frozen, and batch normalisation, stays in evaluation mode."""
        super().train(mode)
        for module in self.network.modules():
            if self._tuning.tune == "frozen" or isinstance(module, BatchNorm):
                module.training = False
        return self

    def learning_rates(self) -> dict[nn.Parameter, float]:
        """Return the highest learning rate of each weight of the network that is trained."""
        return learning_rates(self.network, self._tuning, self._order)


def _pooled(read: Read, network: nn.Module, example: Tensor) -> Tensor:
    return read(network, example, None).pooled
