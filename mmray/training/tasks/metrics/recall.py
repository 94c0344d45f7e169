"""Retrieval across modalities. Axes: N samples, M modalities, S shared embedding."""

from collections.abc import Sequence
from itertools import permutations

import torch
from jaxtyping import Bool, Float, Integer
from torch import Tensor

CUTS = {"recall_at_1": 1, "recall_at_5": 5}
"""A payload counts as found if it is among this many nearest."""
QUERIES = 1024
"""At once: N of them against N candidates would not fit."""


def pair_hits(
    embeddings: Float[Tensor, "N M S"], groups: Integer[Tensor, "N M"], cut: int
) -> dict[tuple[int, int], Float[Tensor, " N"]]:
    """Return, for each ordered pair of modalities, how far each sample is found; NaN if it is not.

    A query is modality a of a sample that has both; the candidates are modality b of all samples.
    Found is a query when a right candidate is among the ``cut`` nearest: one that has the query's
    group in modality b, as its own and all copies of that have, or whose sample has it in modality
    a. Where others are exactly as near, it is the probability of that.
    """
    there = (embeddings != 0.0).any(dim=-1)  # (N, M)
    hits: dict[tuple[int, int], Tensor] = {}
    for a, b in permutations(range(embeddings.shape[1]), 2):
        found = torch.full((len(embeddings),), torch.nan)
        for rows in torch.nonzero(there[:, a] & there[:, b]).squeeze(1).split(QUERIES):
            cosines = embeddings[rows, a] @ embeddings[:, b].T  # (Q, N)
            is_right = groups[rows, b, None] == groups[:, b]
            is_right |= (groups[rows, a, None] == groups[:, a]) & there[:, a]
            found[rows] = _found(cosines, is_right, there[:, b], cut)
        hits[a, b] = found
    return hits


def recall_metrics(
    embeddings: Float[Tensor, "N M S"],
    groups: Integer[Tensor, "N M"],
    modalities: Sequence[str],
) -> dict[str, float]:
    """Return the recalls of each ordered pair of modalities, and their mean over the pairs."""
    metrics: dict[str, float] = {}
    for name, cut in CUTS.items():
        recalls = {
            f"{name}_{modalities[a]}_to_{modalities[b]}": float(hits.nanmean())
            for (a, b), hits in pair_hits(embeddings, groups, cut).items()
            if not hits.isnan().all()
        }
        metrics |= {name: sum(recalls.values()) / len(recalls)} | recalls
    return metrics


def _found(
    cosines: Float[Tensor, "Q N"],
    is_right: Bool[Tensor, "Q N"],
    is_candidate: Bool[Tensor, " N"],
    cut: int,
) -> Float[Tensor, " Q"]:
    """Return the probability of a right candidate among the ``cut`` nearest, ties in any order."""
    cosines = cosines.masked_fill(~is_candidate, -torch.inf)
    best = cosines.masked_fill(~is_right, -torch.inf).amax(dim=1, keepdim=True)  # (Q, 1)
    ranks = cut - (cosines > best).sum(dim=1)
    is_tied = cosines == best
    tied = is_tied.sum(dim=1)
    wrong = (is_tied & ~is_right).sum(dim=1)
    ranks = ranks.clamp(min=0).minimum(tied)
    # All ranks go to wrong ones: C(wrong, ranks) of the C(tied, ranks) ways to fill them.
    missed = torch.exp(_log_choose(wrong, ranks) - _log_choose(tied, ranks))
    return torch.where(ranks > wrong, 1.0, 1.0 - missed).float()


def _log_choose(n: Integer[Tensor, " Q"], k: Integer[Tensor, " Q"]) -> Float[Tensor, " Q"]:
    rest = (n - k).clamp(min=0)
    whole, taken, left = (torch.lgamma(x.double() + 1.0) for x in (n, k, rest))
    return whole - taken - left
