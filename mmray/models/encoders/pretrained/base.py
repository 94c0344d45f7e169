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
from mmray.features.checkpoints.statistics import refuse_fresh_statistics
from mmray.models.batch_statistics import BatchNorm
from mmray.models.encoders.encoded import Encoded
from mmray.models.encoders.pretrained.tuning import (
    Tuning,
    call_order,
    learning_rates,
    set_trained,
)

FACTS_FILE = "encoder.json"
MOMENTUM = 0.1
"""Share of a batch in the statistics of a checkpoint that had none; in the first epoch they are the
mean of all batches, or their first values, 0 and 1, would drown a deep network's signal for long.
Networks of transformers have 0.1 or, from TensorFlow, a share near 1: that of the last batch."""

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
    depends on the rest of its batch; only where the checkpoint has none are they trained. A frozen
    network is always in evaluation mode.
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
        self._trains_statistics = False
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
            is_norm = isinstance(module, BatchNorm)
            if self._tuning.tune == "frozen" or (is_norm and not self._trains_statistics):
                module.training = False
            elif is_norm:
                module.momentum = MOMENTUM if module.num_batches_tracked else None
        return self

    def train_fresh_statistics(self, model: str) -> None:
        """Train the statistics of batch normalisations if checkpoint ``model`` has none.

        Where weights are frozen that would be of no use: a ConfigError.
        """
        norms = [norm for norm in self.network.modules() if isinstance(norm, BatchNorm)]
        if not norms or not all(map(_is_fresh, norms)):
            return
        refuse_fresh_statistics(model, self._tuning.tune)
        self._trains_statistics = True

    def learning_rates(self) -> dict[nn.Parameter, float]:
        """Return the highest learning rate of each weight of the network that is trained."""
        return learning_rates(self.network, self._tuning, self._order)


def _is_fresh(norm: BatchNorm) -> bool:
    mean, variance = norm.running_mean, norm.running_var
    if mean is None or variance is None:
        return False
    return not mean.any() and bool((variance == 1.0).all())


def _pooled(read: Read, network: nn.Module, example: Tensor) -> Tensor:
    return read(network, example, None).pooled
