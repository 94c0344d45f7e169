"""Losses that torch does not have. Axes: B batch, C outputs, K classes."""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Integer
from torch import Tensor
from torch.nn import functional as F


def focal_classes(
    logits: Float[Tensor, "B K"],
    targets: Integer[Tensor, " B"],
    *,
    gamma: float,
    weights: Float[Tensor, " K"] | None = None,
) -> Float[Tensor, " B"]:
    """Return ``-w_y (1 - p_y)^gamma log p_y`` (Lin 2017, of a softmax)."""
    log_p = logits.log_softmax(dim=-1).gather(1, targets[:, None]).squeeze(1)  # (B)
    losses = -(_one_minus(log_p) ** gamma) * log_p
    return losses if weights is None else losses * weights[targets]


def focal_flags(
    logits: Float[Tensor, "B C"],
    targets: Float[Tensor, "B C"],
    *,
    gamma: float,
    alpha: float | None = None,
) -> Float[Tensor, "B C"]:
    """Return ``-a (1 - p)^gamma log p`` of each flag; p is the probability of its label."""
    log_p = F.logsigmoid(torch.where(targets > 0.5, logits, -logits))
    losses = -(_one_minus(log_p) ** gamma) * log_p
    if alpha is None:
        return losses
    return losses * torch.where(targets > 0.5, alpha, 1.0 - alpha)


def pinball(
    outputs: Float[Tensor, "B C"], targets: Float[Tensor, " B"], quantiles: Sequence[float]
) -> Float[Tensor, " B"]:
    """Return the mean over quantiles of ``max(q e, (q - 1) e)``, e = target - output."""
    errors = targets[:, None] - outputs  # (B, C)
    levels = outputs.new_tensor(quantiles)
    return torch.maximum(levels * errors, (levels - 1.0) * errors).mean(dim=1)


def corn(logits: Float[Tensor, "B C"], targets: Integer[Tensor, " B"]) -> Float[Tensor, " B"]:
    """Return the CORN loss (Shi 2021) of K = C + 1 ordered classes.

    Output c is the logit of ``y > c`` given ``y >= c``, so it is trained on samples of at least
    class c alone. The sum over them is divided by C.
    """
    thresholds = torch.arange(logits.shape[1], device=logits.device)
    above = (targets[:, None] > thresholds).to(logits.dtype)  # (B, C)
    losses = F.binary_cross_entropy_with_logits(logits, above, reduction="none")
    return torch.where(targets[:, None] >= thresholds, losses, 0.0).mean(dim=1)


def coral(logits: Float[Tensor, "B C"], targets: Integer[Tensor, " B"]) -> Float[Tensor, " B"]:
    """Return the CORAL loss (Cao 2020): the mean cross entropy of ``y > c`` over all c."""
    thresholds = torch.arange(logits.shape[1], device=logits.device)
    above = (targets[:, None] > thresholds).to(logits.dtype)  # (B, C)
    return F.binary_cross_entropy_with_logits(logits, above, reduction="none").mean(dim=1)


def _one_minus(log_p: Tensor) -> Tensor:
    # Above zero: the gradient of a power below one is infinite there.
    return -torch.expm1(log_p).clamp(max=-1e-12)
