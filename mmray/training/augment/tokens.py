"""Augmentation of token ids. Axes: B batch, T tokens, V vocabulary."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from mmray.models.feature_batch import FeatureBatch


class WordDropout:
    """Replaces each token that ``may_drop`` names, with ``probability``, by the unknown one."""

    def __init__(
        self, probability: float, unknown: int, may_drop: Bool[Tensor, " V"], max_tokens: int
    ) -> None:
        self.numbers = max_tokens
        self._probability = probability
        self._unknown = unknown
        self._may_drop = may_drop

    def __call__(self, batch: FeatureBatch, luck: Float[Tensor, "B K"]) -> FeatureBatch:
        """Replace some tokens of each text."""
        ids = batch.values  # (B, T)
        chosen = luck[:, : ids.shape[1]] < self._probability
        chosen = chosen & self._may_drop.to(ids.device)[ids.long()]
        return FeatureBatch(torch.where(chosen, self._unknown, ids).to(ids.dtype), batch.lengths)
