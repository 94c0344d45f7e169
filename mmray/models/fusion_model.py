"""Encoders, fusion and heads in one module. Axes: B batch, M modalities, D width, C outputs."""

from collections.abc import Mapping

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from mmray.models.feature_batch import FeatureBatch


class FusionModel(nn.Module):
    """From the features of all modalities to the outputs of all tasks.

    The order of ``encoders`` is the M axis. Embeddings are normalised before they are fused, so
    that no modality outweighs the others by its range. Dropout uses torch's global generator.
    """

    def __init__(
        self,
        encoders: Mapping[str, nn.Module],
        fusion: nn.Module,
        heads: Mapping[str, nn.Module],
        *,
        width: int,
        dropout: float = 0.0,
        modality_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.modalities = tuple(encoders)
        self.tasks = tuple(heads)
        # Lists, not ModuleDicts: those refuse names such as "type" and "values".
        self.encoders = nn.ModuleList(encoders.values())
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in encoders)
        self.fusion = fusion
        self.heads = nn.ModuleList(heads.values())
        self.dropout = nn.Dropout(dropout)
        self.modality_dropout = modality_dropout

    def forward(
        self, features: Mapping[str, FeatureBatch], present: Bool[Tensor, "B M"]
    ) -> dict[str, Float[Tensor, "B _"]]:
        """Return the outputs (B, C) of each task."""
        return self.fuse(self.embed(features), present)

    def fuse(
        self, embeddings: Float[Tensor, "B M D"], present: Bool[Tensor, "B M"]
    ) -> dict[str, Float[Tensor, "B _"]]:
        """Return the outputs (B, C) of each task from embeddings that are there already."""
        if self.training and self.modality_dropout > 0.0:
            present = drop_modalities(present, self.modality_dropout)
        fused = self.dropout(self.fusion(self.dropout(embeddings), present))  # (B, D)
        return {task: head(fused) for task, head in zip(self.tasks, self.heads, strict=True)}

    def embed(self, features: Mapping[str, FeatureBatch]) -> Float[Tensor, "B M D"]:
        """Return one normalised embedding per modality."""
        parts = zip(self.modalities, self.encoders, self.norms, strict=True)
        return torch.stack(
            [norm(encoder(*features[name]).pooled) for name, encoder, norm in parts], dim=1
        )


def drop_modalities(present: Bool[Tensor, "B M"], probability: float) -> Bool[Tensor, "B M"]:
    """Hide each present modality with ``probability``; one per sample always stays."""
    luck = torch.rand(present.shape, device=present.device).masked_fill(~present, -1.0)
    luckiest = luck == luck.amax(dim=1, keepdim=True)
    return present & ((luck >= probability) | luckiest)
