"""Retrieval across modalities. Axes: N samples, M modalities, S shared embedding."""

from collections.abc import Sequence
from itertools import permutations

import torch
from jaxtyping import Bool, Float, Integer
from torch import Tensor

CUTS = (1, 5)
QUERIES = 1024
"""At once: N of them against N candidates would not fit."""


def recall_names(modalities: Sequence[str]) -> tuple[str, ...]:
    """Return the names of all recalls."""
    pairs = list(permutations(modalities, 2))
    single = [f"recall_at_{cut}_{a}_to_{b}" for cut in CUTS for a, b in pairs]
    return (*(f"recall_at_{cut}" for cut in CUTS), *single)


def pair_hits(
    embeddings: Float[Tensor, "N M S"],
    groups: Integer[Tensor, " N"] | None,
    cut: int,
) -> dict[tuple[int, int], Float[Tensor, " N"]]:
    """Return, for each ordered pair of modalities, how far each sample is found; NaN if it is not.

    A query is modality a of a sample that has both; the candidates are modality b of all samples.
    Found is a sample whose own b is among the ``cut`` nearest or, with ``groups``, one of whose
    group is. Where others are exactly as near, it is the probability of that.
    """
    there = (embeddings != 0.0).any(dim=-1)  # (N, M)
    hits: dict[tuple[int, int], Tensor] = {}
    for a, b in permutations(range(embeddings.shape[1]), 2):
        found = torch.full((len(embeddings),), torch.nan)
        for rows in torch.nonzero(there[:, a] & there[:, b]).squeeze(1).split(QUERIES):
            cosines = embeddings[rows, a] @ embeddings[:, b].T  # (Q, N)
            cosines = cosines.masked_fill(~there[:, b], -torch.inf)
            if groups is None:
                found[rows] = _own_hits(cosines, rows, cut)
            else:
                found[rows] = _group_hits(cosines, groups[rows, None] == groups, cut)
        hits[a, b] = found
    return hits


def recall_metrics(
    embeddings: Float[Tensor, "N M S"],
    groups: Integer[Tensor, " N"] | None,
    modalities: Sequence[str],
) -> dict[str, float]:
    """Return the recalls of each ordered pair of modalities, and their mean over the pairs."""
    metrics: dict[str, float] = {}
    for cut in CUTS:
        recalls = {
            f"recall_at_{cut}_{modalities[a]}_to_{modalities[b]}": float(hits.nanmean())
            for (a, b), hits in pair_hits(embeddings, groups, cut).items()
            if not hits.isnan().all()
        }
        metrics |= {f"recall_at_{cut}": sum(recalls.values()) / len(recalls)} | recalls
    return metrics


def _own_hits(
    cosines: Float[Tensor, "Q N"], rows: Integer[Tensor, " Q"], cut: int
) -> Float[Tensor, " Q"]:
    own = cosines.gather(1, rows[:, None])  # (Q, 1)
    nearer = (cosines > own).sum(dim=1)
    alike = (cosines == own).sum(dim=1)  # its own among them
    return ((cut - nearer) / alike).clamp(0.0, 1.0)


def _group_hits(
    cosines: Float[Tensor, "Q N"], together: Bool[Tensor, "Q N"], cut: int
) -> Float[Tensor, " Q"]:
    nearest = cosines.topk(min(cut, cosines.shape[1]), dim=1).indices
    return together.gather(1, nearest).any(dim=1).float()
