"""Clipping: the norm of the complete gradient is clipped, and that of each part reported."""

from collections.abc import Iterable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn


def clip_gradients(
    weights: Iterable[nn.Parameter], parts: Sequence[Sequence[nn.Parameter]], *, limit: float
) -> list[Float[Tensor, ""]]:
    """Clip the Euclidean norm of all gradients to ``limit``; return the norm of each part before.

    As ``torch.nn.utils.clip_grad_norm_`` except for rounding; every gradient is read once for its
    part and the total. No weight is in two parts; a weight in none counts for the total only.
    """
    weights = list(weights)
    named = {id(weight) for part in parts for weight in part}
    rest = [weight for weight in weights if id(weight) not in named]
    norms = [_norm(part, weights[0].device) for part in (*parts, rest)]
    norm = torch.linalg.vector_norm(torch.stack(norms))
    if not _is_within(norm, limit):
        nn.utils.clip_grads_with_norm_(weights, limit, norm)
    return norms[: len(parts)]


def _is_within(norm: Float[Tensor, ""], limit: float) -> bool:
    """Return whether clipping would multiply all by one, where that is known without waiting.

    It is not known on a device or of sharded weights. Torch divides by a norm that is 1e-6 larger.
    """
    return type(norm) is Tensor and norm.device.type == "cpu" and norm.item() + 1e-6 <= limit


def _norm(weights: Sequence[nn.Parameter], device: torch.device) -> Float[Tensor, ""]:
    gradients = [weight.grad for weight in weights if weight.grad is not None]
    if not gradients:
        return torch.zeros((), device=device)
    return nn.utils.get_total_norm(gradients)
