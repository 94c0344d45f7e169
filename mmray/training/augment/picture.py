"""Augmentation of pictures, and of clips: all frames of a clip in the same way.

Axes: B batch, T frames, N pictures, H W picture, K random numbers.
"""

import math
from abc import ABC, abstractmethod

import torch
from jaxtyping import Float, Integer, UInt8
from torch import Tensor
from torch.nn import functional as F

from mmray.models.feature_batch import FeatureBatch

_GREY = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in brightness (ITU-R BT.601)."""


class PictureStep(ABC):
    """Runs ``change`` over pictures (B, H, W, 3), or over the frames of clips (B, T, H, W, 3)."""

    numbers: int

    def __call__(self, batch: FeatureBatch, luck: Float[Tensor, "B K"]) -> FeatureBatch:
        """Change each sample by its own numbers."""
        values = batch.values
        if values.ndim == 4:
            return FeatureBatch(self.change(values, luck), batch.lengths)
        of_frames = luck.repeat_interleave(values.shape[1], dim=0)  # (B * T, K)
        changed = self.change(values.flatten(0, 1), of_frames)
        return FeatureBatch(changed.unflatten(0, values.shape[:2]), batch.lengths)

    @abstractmethod
    def change(self, pixels: Tensor, luck: Tensor) -> Tensor:
        """Return pictures (N, H, W, 3) uint8 changed by (N, K)."""


class Crop(PictureStep):
    """A piece of the same size, anywhere in the picture with ``padding`` black pixels around."""

    numbers = 2

    def __init__(self, padding: int) -> None:
        self._padding = padding

    def change(
        self, pixels: UInt8[Tensor, "N H W 3"], luck: Float[Tensor, "N 2"]
    ) -> UInt8[Tensor, "N H W 3"]:
        """Move by an integer number of pixels in [-padding, padding] each way."""
        moves = (luck * (2 * self._padding + 1)).long() - self._padding  # (N, 2)
        rows, inside_rows = _moved(moves[:, :1], pixels.shape[1])  # (N, H)
        columns, inside_columns = _moved(moves[:, 1:], pixels.shape[2])  # (N, W)
        pictures = torch.arange(len(pixels), device=pixels.device)[:, None, None]
        moved = pixels[pictures, rows[:, :, None], columns[:, None]]
        return moved * (inside_rows[:, :, None] & inside_columns[:, None])[..., None]


class ResizedCrop(PictureStep):
    """A piece whose area and shape are random, enlarged by bilinear interpolation."""

    numbers = 4

    def __init__(self, area: tuple[float, float], ratio: tuple[float, float]) -> None:
        self._area, self._ratio = area, ratio

    def change(
        self, pixels: UInt8[Tensor, "N H W 3"], luck: Float[Tensor, "N 4"]
    ) -> UInt8[Tensor, "N H W 3"]:
        """Crop each picture to its box, and resize it."""
        boxes = self.boxes(luck)  # (N, 4)
        top, left, height, width = boxes.unbind(dim=1)
        zeros = torch.zeros_like(top)
        across = torch.stack([width, zeros, 2 * left + width - 1], dim=1)
        down = torch.stack([zeros, height, 2 * top + height - 1], dim=1)
        seen = pixels.permute(0, 3, 1, 2).float()  # (N, 3, H, W)
        grid = F.affine_grid(
            torch.stack([across, down], dim=1), list(seen.shape), align_corners=False
        )
        found = F.grid_sample(seen, grid, padding_mode="border", align_corners=False)
        return _to_pixels(found.permute(0, 2, 3, 1))

    def boxes(self, luck: Float[Tensor, "N 4"]) -> Float[Tensor, "N 4"]:
        """Return top, left, height and width of each box as shares of the picture.

        The area is uniform, the ratio uniform in its logarithm; a side stops at the picture's.
        """
        low, high = self._area
        area = low + (high - low) * luck[:, 0]
        low, high = (math.log(limit) for limit in self._ratio)
        ratio = torch.exp(low + (high - low) * luck[:, 1])
        height, width = (area / ratio).sqrt().clamp(max=1), (area * ratio).sqrt().clamp(max=1)
        top, left = (1 - height) * luck[:, 2], (1 - width) * luck[:, 3]
        return torch.stack([top, left, height, width], dim=1)


class Flip(PictureStep):
    """Left and right exchanged."""

    numbers = 1

    def __init__(self, probability: float) -> None:
        self._probability = probability

    def change(
        self, pixels: UInt8[Tensor, "N H W 3"], luck: Float[Tensor, "N 1"]
    ) -> UInt8[Tensor, "N H W 3"]:
        """Mirror some of the pictures."""
        chosen = (luck[:, 0] < self._probability)[:, None, None, None]
        return torch.where(chosen, pixels.flip(2), pixels)


class Colour(PictureStep):
    """Brightness, contrast and saturation, each times a number within 1 - x and 1 + x."""

    numbers = 3

    def __init__(self, brightness: float, contrast: float, saturation: float) -> None:
        self._strengths = (brightness, contrast, saturation)

    def change(
        self, pixels: UInt8[Tensor, "N H W 3"], luck: Float[Tensor, "N 3"]
    ) -> UInt8[Tensor, "N H W 3"]:
        """Mix each picture with black, with its mean grey, and with its own grey."""
        strengths = torch.tensor(self._strengths, device=luck.device)
        factors = (1 + (2 * luck - 1) * strengths)[:, :, None, None, None]  # (N, 3, 1, 1, 1)
        seen = (pixels.float() * factors[:, 0]).clamp(0, 255)
        seen = _mixed(seen, _grey(seen).mean(dim=(1, 2), keepdim=True), factors[:, 1])
        return _to_pixels(_mixed(seen, _grey(seen), factors[:, 2]))


def _moved(move: Integer[Tensor, "N 1"], size: int) -> tuple[Tensor, Tensor]:
    """Return where each of ``size`` positions comes from, and whether that is in the picture."""
    positions = move + torch.arange(size, device=move.device)  # (N, size)
    return positions.clamp(0, size - 1), (positions >= 0) & (positions < size)


def _mixed(one: Tensor, other: Tensor, share: Tensor) -> Tensor:
    """Go from ``other`` (0) to ``one`` (1), or past it."""
    return (other + (one - other) * share).clamp(0, 255)


def _grey(pixels: Float[Tensor, "N H W 3"]) -> Float[Tensor, "N H W 1"]:
    return (pixels * torch.tensor(_GREY, device=pixels.device)).sum(dim=-1, keepdim=True)


def _to_pixels(values: Tensor) -> UInt8[Tensor, "N H W 3"]:
    return values.round().clamp(0, 255).to(torch.uint8)
