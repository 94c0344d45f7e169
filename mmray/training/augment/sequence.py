"""Augmentation of sequences. Axes: B batch, T time, F feature, K random numbers."""

import torch
from jaxtyping import Bool, Float, Integer
from torch import Tensor

from mmray.models.encoders.encoded import at_least_one
from mmray.models.feature_batch import FeatureBatch


class SpecAugment:
    """Hides spans of steps and of coordinates behind ``fill`` (Park 2019, without time warping).

    A span's length is uniform between 0 and its width, in time at most ``time_share`` of the clip;
    its place is uniform where it fits.
    """

    def __init__(
        self,
        fill: Float[Tensor, " F"],
        *,
        time_masks: int,
        time_width: int,
        time_share: float,
        frequency_masks: int,
        frequency_width: int,
    ) -> None:
        self._fill = fill
        self._time_masks, self._frequency_masks = time_masks, frequency_masks
        self._time_width, self._time_share = time_width, time_share
        self._frequency_width = frequency_width
        self.numbers = 2 * (time_masks + frequency_masks)

    def __call__(self, batch: FeatureBatch, luck: Float[Tensor, "B K"]) -> FeatureBatch:
        """Hide some of each clip."""
        values = batch.values  # (B, T, F)
        steps, size = values.shape[1:]
        lengths = at_least_one(values, batch.lengths)
        longest = (lengths * self._time_share).long().clamp(max=self._time_width)
        in_time, in_frequency = luck.split([2 * self._time_masks, 2 * self._frequency_masks], dim=1)
        hidden = (
            spans(in_time, lengths, longest, steps)[:, :, None]
            | spans(
                in_frequency,
                torch.full_like(lengths, size),
                torch.full_like(lengths, min(self._frequency_width, size)),
                size,
            )[:, None]
        )  # (B, T, F)
        return FeatureBatch(torch.where(hidden, self._fill.to(values), values), batch.lengths)


class TimeShift:
    """Moves each clip in time by up to ``share`` of it, around its own end."""

    numbers = 1

    def __init__(self, share: float) -> None:
        self._share = share

    def __call__(self, batch: FeatureBatch, luck: Float[Tensor, "B K"]) -> FeatureBatch:
        """Move each clip by its own number of steps; padding stays where it is."""
        values = batch.values  # (B, T, F)
        lengths = at_least_one(values, batch.lengths)[:, None]
        most = (lengths * self._share).long()  # (B, 1)
        moves = (luck[:, :1] * (2 * most + 1)).long() - most
        steps = torch.arange(values.shape[1], device=values.device)  # (T,)
        sources = torch.where(steps < lengths, (steps - moves) % lengths, steps)  # (B, T)
        moved = values.gather(1, sources[:, :, None].expand_as(values))
        return FeatureBatch(moved, batch.lengths)


def spans(
    luck: Float[Tensor, "B K"],
    lengths: Integer[Tensor, " B"],
    longest: Integer[Tensor, " B"],
    steps: int,
) -> Bool[Tensor, "B T"]:
    """Return which of ``steps`` lie in a span; every two numbers make one, its length and start."""
    lasting, starting = luck[:, 0::2], luck[:, 1::2]  # (B, spans) each
    sizes = (lasting * (longest[:, None] + 1)).long()
    starts = (starting * (lengths[:, None] - sizes + 1)).long()
    positions = torch.arange(steps, device=luck.device)  # (T,)
    after = positions >= starts[:, :, None]  # (B, spans, T)
    return (after & (positions < (starts + sizes)[:, :, None])).any(dim=1)
