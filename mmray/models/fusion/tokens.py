"""The input of a fusion over tokens. Axes: B batch, M modalities, T tokens, D width."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional as F


class ModalityTokens(NamedTuple):
    """One modality: its pooled embedding, called its summary, and after it its tokens, if any."""

    values: Float[Tensor, "B T D"]
    mask: Bool[Tensor, "B T"]


def fill_absent(
    tokens: Sequence[ModalityTokens], present: Bool[Tensor, "B M"], absent: Float[Tensor, "M D"]
) -> list[ModalityTokens]:
    """Replace an absent modality's summary by a learned token, and mask its tokens."""
    filled: list[ModalityTokens] = []
    for part, here, token in zip(tokens, present.unbind(1), absent, strict=True):
        shown = part.mask & here[:, None]  # (B, T)
        values = torch.where(shown[..., None], part.values, token)  # (B, T, D)
        filled.append(ModalityTokens(values, F.pad(shown[:, 1:], (1, 0), value=True)))
    return filled


def join_tokens(tokens: Sequence[ModalityTokens], marks: Float[Tensor, "M D"]) -> ModalityTokens:
    """Return all modalities' tokens in one row, each with its modality's mark added."""
    values = torch.cat([part.values + mark for part, mark in zip(tokens, marks, strict=True)], 1)
    return ModalityTokens(values, torch.cat([part.mask for part in tokens], dim=1))
