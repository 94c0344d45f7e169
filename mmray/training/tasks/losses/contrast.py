"""Contrastive losses between modalities. Axes: B anchors, G candidates, M modalities."""

from itertools import permutations
from typing import NamedTuple, assert_never

import torch
from jaxtyping import Bool, Float, Integer
from torch import Tensor
from torch.nn import functional as F

from mmray.config.task.loss import (
    AlignmentLossConfig,
    InfoNceConfig,
    SiglipConfig,
    SupervisedContrastiveConfig,
)
from mmray.models.head import AlignmentOutputs


class Rows(NamedTuple):
    """Some samples of a batch."""

    outputs: AlignmentOutputs
    groups: Integer[Tensor, " B"]
    """Samples of one group belong together: a number per sample, or its class."""
    kept: Bool[Tensor, " B"]
    """The samples that take part."""

    def has(self, modality: int) -> Bool[Tensor, " B"]:
        """Return the samples that take part with this modality."""
        return self.outputs.present[:, modality] & self.kept


def contrastive_losses(
    config: AlignmentLossConfig, anchors: Rows, candidates: Rows
) -> Float[Tensor, " B"]:
    """Return each anchor's loss: the mean over the ordered pairs (a, b) of its modalities.

    Of a pair, the anchor's modality a is compared with modality b of all candidates that have it;
    the anchors are among the candidates. Zero for an anchor that has one modality alone.
    """
    total = anchors.outputs.scale.new_zeros(len(anchors.groups))
    pairs = torch.zeros_like(total)
    together = anchors.groups[:, None] == candidates.groups  # (B, G)
    for a, b in permutations(range(anchors.outputs.embeddings.shape[1]), 2):
        is_anchor = anchors.has(a) & anchors.has(b)
        losses = _pair_losses(
            config, similarities(anchors, a, candidates, b), together, candidates.has(b)
        )
        total = total + torch.where(is_anchor, losses, 0.0)
        pairs = pairs + is_anchor
    return total / pairs.clamp(min=1.0)


def similarities(anchors: Rows, a: int, candidates: Rows, b: int) -> Float[Tensor, "B G"]:
    """Return scaled cosines, plus the bias."""
    cosines = anchors.outputs.embeddings[:, a] @ candidates.outputs.embeddings[:, b].T
    return anchors.outputs.scale[:, None] * cosines + anchors.outputs.bias[:, None]


def _pair_losses(
    config: AlignmentLossConfig,
    logits: Float[Tensor, "B G"],
    together: Bool[Tensor, "B G"],
    has_payload: Bool[Tensor, " G"],
) -> Float[Tensor, " B"]:
    match config:
        case InfoNceConfig() | SupervisedContrastiveConfig():
            # Not -inf: an anchor without any candidate would make the gradient NaN.
            masked = logits.masked_fill(~has_payload, torch.finfo(logits.dtype).min)
            positive = together & has_payload
            log_p = torch.where(positive, masked.log_softmax(dim=1), 0.0)
            return -log_p.sum(dim=1) / positive.sum(dim=1).clamp(min=1)
        case SiglipConfig():
            losses = -F.logsigmoid(torch.where(together, logits, -logits))
            return torch.where(has_payload, losses, 0.0).sum(dim=1)
        case _:
            assert_never(config)
