"""Encoders, fusion and heads in one module. Axes: B batch, M modalities, D width, C outputs."""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F

from mmray.models.batch_statistics import encode_present
from mmray.models.encoders.encoded import Encoded
from mmray.models.encoders.transformer import sine_positions
from mmray.models.feature_batch import FeatureBatch
from mmray.models.fusion.tokens import ModalityTokens
from mmray.models.head import AlignmentHead
from mmray.models.task_weighting import FixedWeighting, TaskWeighting


class Embedded(NamedTuple):
    """Normalised embeddings of all modalities, in the order of the M axis."""

    pooled: Float[Tensor, "B M D"]
    tokens: tuple[ModalityTokens, ...]
    """Empty unless the fusion is over tokens."""


class DropRates(NamedTuple):
    """Dropout probabilities during training."""

    values: float = 0.0
    """Dropout of embeddings and of the fused vector."""
    modalities: float = 0.0
    """Dropout of complete modalities of a sample; one always stays."""


NOTHING_DROPPED = DropRates()


class FusionModel(nn.Module):
    """From the features of all modalities to the outputs of all tasks.

    The order of ``encoders`` is the M axis. Embeddings are normalised before they are fused, so
    that no modality outweighs the others by its range. ``fusion`` gets the pooled embeddings or,
    with ``uses_tokens``, a ``ModalityTokens`` of each modality; where it is None, the heads fuse.
    An alignment is of the modalities themselves: its head gets the embeddings as they are, before
    any dropout and fusion.
    Dropout uses torch's global generator.
    """

    def __init__(
        self,
        encoders: Mapping[str, nn.Module],
        fusion: nn.Module | None,
        heads: Mapping[str, nn.Module],
        width: int,
        *,
        uses_tokens: bool = False,
        rates: DropRates = NOTHING_DROPPED,
    ) -> None:
        super().__init__()
        self.modalities = tuple(encoders)
        self.tasks = tuple(heads)
        # Lists, not ModuleDicts: those refuse names such as "type" and "values".
        self.encoders = nn.ModuleList(encoders.values())
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in encoders)
        self.fusion = fusion
        self.heads = nn.ModuleList(heads.values())
        self.uses_tokens = uses_tokens
        self.dropout = nn.Dropout(rates.values)
        self.modality_dropout = rates.modalities
        # Here, though it only serves training: so it is trained, saved and put back as weights are.
        self.weighting: TaskWeighting = FixedWeighting(len(heads))

    def forward(
        self, features: Mapping[str, FeatureBatch], present: Bool[Tensor, "B M"]
    ) -> dict[str, Float[Tensor, "B _"]]:
        """Return the outputs (B, C) of each task."""
        return self.fuse(self.embed(features, present), present)

    def fuse(
        self, embedded: Embedded, present: Bool[Tensor, "B M"]
    ) -> dict[str, Float[Tensor, "B _"]]:
        """Return the outputs (B, C) of each task from embeddings that are there already."""
        there = present
        if self.training and self.modality_dropout > 0.0:
            present = drop_modalities(present, self.modality_dropout)
        if self.uses_tokens:
            joint = [ModalityTokens(self.dropout(values), mask) for values, mask in embedded.tokens]
        else:
            joint = self.dropout(embedded.pooled)  # (B, M, D)
        fused = None if self.fusion is None else self.dropout(self.fusion(joint, present))  # (B, D)
        outputs: dict[str, Tensor] = {}
        for task, head in zip(self.tasks, self.heads, strict=True):
            if isinstance(head, AlignmentHead):
                outputs[task] = head(embedded.pooled, there)
            elif fused is None:
                outputs[task] = head(joint, present)
            else:
                outputs[task] = head(fused)
        return outputs

    def embed(self, features: Mapping[str, FeatureBatch], present: Bool[Tensor, "B M"]) -> Embedded:
        """Return one normalised embedding per modality, and tokens if the fusion is over them."""
        parts = zip(self.modalities, self.encoders, present.unbind(1), strict=True)
        encoded = [encode_present(encoder, features[name], here) for name, encoder, here in parts]
        pooled = [norm(part.pooled) for norm, part in zip(self.norms, encoded, strict=True)]
        tokens: tuple[ModalityTokens, ...] = ()
        if self.uses_tokens:
            tokens = tuple(
                tokens_of(part, summary, norm)
                for part, summary, norm in zip(encoded, pooled, self.norms, strict=True)
            )
        return Embedded(torch.stack(pooled, dim=1), tokens)


def tokens_of(encoded: Encoded, summary: Float[Tensor, "B D"], norm: nn.Module) -> ModalityTokens:
    """Return the normalised tokens of one modality behind its summary.

    Attention takes a set: each token gets its place in time, or row by row in a picture, added
    here, as MulT does (Tsai et al. 2019, arXiv 1906.00295), whatever its encoder knows of it.
    """
    tokens = norm(encoded.tokens)  # (B, T, D)
    tokens = tokens + sine_positions(*tokens.shape[1:], device=tokens.device)
    values = torch.cat([summary[:, None], tokens], dim=1)  # (B, 1 + T, D)
    return ModalityTokens(values, F.pad(encoded.token_mask, (1, 0), value=True))


def drop_modalities(present: Bool[Tensor, "B M"], probability: float) -> Bool[Tensor, "B M"]:
    """Hide each present modality with ``probability``; one per sample always stays."""
    luck = torch.rand(present.shape, device=present.device).masked_fill(~present, -1.0)
    luckiest = luck == luck.amax(dim=1, keepdim=True)
    return present & ((luck >= probability) | luckiest)
