"""The encoders of clips. Axes: B batch, T frames, P patches, F feature, H W frame, D width."""

from typing import Literal

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn
from torch.nn import functional as F

from mmray.models.batch_statistics import encode_present
from mmray.models.encoders.encoded import Encoded, at_least_one, length_mask, masked_mean
from mmray.models.encoders.stem import scale_pixels
from mmray.models.encoders.transformer import sine_positions
from mmray.models.feature_batch import FeatureBatch

OverTime = Literal["attention", "mean"]


class FlatFramesStem(nn.Module):
    """All pixels of the average frame side by side."""

    def forward(
        self, values: UInt8[Tensor, "B T H W 3"], lengths: Tensor | None
    ) -> Float[Tensor, "B F"]:
        """Average over each clip's own frames, scale and flatten."""
        mask = length_mask(at_least_one(values, lengths), values.shape[1])
        flat = scale_pixels(values.flatten(0, 1)).flatten(1)  # (B * T, 3HW)
        return masked_mean(flat.unflatten(0, values.shape[:2]), mask)


class FramesEncoder(nn.Module):
    """An encoder of pictures over each frame, one token per frame; then one vector of all.

    ``attention`` weighs what each frame shows at its time, so that the order of frames counts;
    ``mean`` averages.
    """

    positions: Tensor

    def __init__(
        self, frame: nn.Module, width: int, *, max_steps: int, over_time: OverTime = "attention"
    ) -> None:
        super().__init__()
        self.frame = frame
        self.register_buffer("positions", sine_positions(max_steps, width), persistent=False)
        self.attend = TimeAttention(width) if over_time == "attention" else None

    def forward(self, values: UInt8[Tensor, "B T H W 3"], lengths: Tensor | None) -> Encoded:
        """Encode a batch of clips."""
        clips, steps = values.shape[:2]
        mask = length_mask(at_least_one(values, lengths), steps)
        batch = FeatureBatch(values.flatten(0, 1), None)
        pooled = encode_present(self.frame, batch, mask.flatten()).pooled
        frames = pooled.unflatten(0, (clips, steps))  # (B, T, D)
        if self.attend is None:
            return Encoded(frames, mask, masked_mean(frames, mask))
        tokens = frames + self.positions[:steps]  # (B, T, D)
        return Encoded(tokens, mask, self.attend(tokens, mask))


class TimeAttention(nn.Module):
    """A weighted sum over time; weight and value of a step depend on its content and its time."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.hidden = nn.Linear(width, 2 * width)
        self.score = nn.Linear(2 * width, 1)
        self.project = nn.Linear(2 * width, width)

    def forward(self, tokens: Float[Tensor, "B T D"], mask: Tensor) -> Float[Tensor, "B D"]:
        """Sum the steps inside the mask."""
        hidden = F.gelu(self.hidden(self.norm(tokens)))  # (B, T, 2D)
        scores = self.score(hidden).masked_fill(~mask[..., None], torch.finfo(hidden.dtype).min)
        weights = scores.softmax(dim=1)  # (B, T, 1)
        return (weights * self.project(hidden)).sum(dim=1)


class PatchFramesTransformerEncoder(nn.Module):
    """Self-attention over the square patches of all frames; then the average."""

    times: Tensor

    def __init__(
        self,
        size: tuple[int, int, int],
        patch: int,
        stack: nn.TransformerEncoder,
        *,
        width: int,
    ) -> None:
        super().__init__()
        self.patch = patch
        self.project = nn.Linear(3 * patch * patch, width)
        steps, patches = size[0], (size[1] // patch) * (size[2] // patch)
        self.places = nn.Parameter(torch.randn(patches, width) * 0.02)
        self.register_buffer("times", sine_positions(steps, width), persistent=False)
        self.stack = stack

    def forward(self, values: UInt8[Tensor, "B T H W 3"], lengths: Tensor | None) -> Encoded:
        """Encode a batch of clips; one token per patch of a frame."""
        clips, steps = values.shape[:2]
        pixels = scale_pixels(values.flatten(0, 1))  # (B * T, 3, H, W)
        patches = F.unfold(pixels, self.patch, stride=self.patch).transpose(1, 2)  # (B * T, P, F)
        placed = self.project(patches).unflatten(0, (clips, steps)) + self.places  # (B, T, P, D)
        tokens = (placed + self.times[:steps, None]).flatten(1, 2)  # (B, T * P, D)
        shown = length_mask(at_least_one(values, lengths), steps)  # (B, T)
        mask = shown.repeat_interleave(placed.shape[2], dim=1)  # (B, T * P)
        encoded = self.stack(tokens, src_key_padding_mask=~mask)
        return Encoded(encoded, mask, masked_mean(encoded, mask))
