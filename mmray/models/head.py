"""The heads of tasks. Axes: B batch, M modalities, D width, C outputs, S shared embedding."""

import math
from typing import NamedTuple, TypeAlias

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F

MAX_SCALE = 100.0
"""Largest scale of similarities: the lowest temperature is 0.01, as in CLIP."""


class AffineHead(NamedTuple):
    """A head with this number of outputs."""

    outputs: int
    shares_weights: bool = False
    """One map for all outputs, each with an offset of its own (CORAL)."""


class SharedSpace(NamedTuple):
    """A head that brings all modalities to one space."""

    size: int
    temperature: float
    """At the start."""
    bias: float = 0.0
    """At the start."""
    learns_bias: bool = False


HeadSpec: TypeAlias = AffineHead | SharedSpace


class Head(nn.Module):
    """Layer normalisation and one affine map from the fused vector to a task's outputs."""

    def __init__(self, width: int, outputs: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.project = nn.Linear(width, outputs)

    def forward(self, fused: Float[Tensor, "B D"]) -> Float[Tensor, "B C"]:
        """Return logits, or one standardised number."""
        return self.project(self.norm(fused))


class OffsetHead(nn.Module):
    """One number from the fused vector, plus an offset for each output (CORAL, Cao 2020)."""

    def __init__(self, width: int, outputs: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.project = nn.Linear(width, 1, bias=False)
        # Falling, as the probability to be above a threshold falls with the threshold.
        self.offsets = nn.Parameter(
            torch.linspace(1.0, -1.0, outputs) if outputs > 1 else torch.zeros(1)
        )

    def forward(self, fused: Float[Tensor, "B D"]) -> Float[Tensor, "B C"]:
        """Return one logit per threshold."""
        return self.project(self.norm(fused)) + self.offsets  # (B, 1) + (C)


class AlignmentHead(nn.Module):
    """Each modality's embedding, brought to one space where all have length one.

    The outputs of a sample are the shared embeddings of all modalities end to end, zeros for what
    is absent, then the scale (one over the temperature) and the bias of similarities, so that
    whoever has the outputs can compute the loss: see ``split_outputs``.
    """

    bias: Tensor

    def __init__(self, modalities: int, width: int, space: SharedSpace) -> None:
        super().__init__()
        self.projections = nn.ModuleList(
            nn.Linear(width, space.size, bias=False) for _ in range(modalities)
        )
        self.log_scale = nn.Parameter(torch.tensor([-math.log(space.temperature)]))
        if space.learns_bias:
            self.bias = nn.Parameter(torch.tensor([space.bias]))
        else:
            self.register_buffer("bias", torch.tensor([space.bias]), persistent=False)

    def forward(
        self, embeddings: Float[Tensor, "B M D"], present: Bool[Tensor, "B M"]
    ) -> Float[Tensor, "B C"]:
        """Return C = M S + 2 numbers per sample, in float32."""
        filled = torch.where(present[..., None], embeddings, 0.0)
        parts = zip(self.projections, filled.unbind(1), strict=True)
        projected = torch.stack([project(x) for project, x in parts], dim=1).float()  # (B, M, S)
        # Masked here too: the gradient of normalising zeros is beyond half precision.
        unit = torch.where(present[..., None], F.normalize(projected, dim=-1), 0.0)
        scale = self.log_scale.exp()  # (1)
        # At its limit it has a gradient still, or it could not come back.
        scale = scale + (scale.clamp(max=MAX_SCALE) - scale).detach()
        rest = torch.cat([scale, self.bias]).expand(len(unit), 2)
        return torch.cat([unit.flatten(1), rest], dim=1)  # (B, M S + 2)


class AlignmentOutputs(NamedTuple):
    """The output of an ``AlignmentHead`` for B samples."""

    embeddings: Float[Tensor, "B M S"]
    """Embeddings of length one; zeros where the modality is absent."""
    scale: Float[Tensor, " B"]
    bias: Float[Tensor, " B"]

    @property
    def present(self) -> Bool[Tensor, "B M"]:
        """Return where an embedding is there."""
        return (self.embeddings != 0.0).any(dim=-1)


def split_outputs(outputs: Float[Tensor, "B C"], modalities: int) -> AlignmentOutputs:
    """Return the parts of an ``AlignmentHead``'s outputs."""
    embeddings = outputs[:, :-2].unflatten(1, (modalities, -1))  # (B, M, S)
    return AlignmentOutputs(embeddings, outputs[:, -2], outputs[:, -1])


def affine_head(width: int, spec: AffineHead) -> nn.Module:
    """Build the head of a task on one vector."""
    kind = OffsetHead if spec.shares_weights else Head
    return kind(width, spec.outputs)
