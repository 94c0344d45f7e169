"""Pareto integration of the joint and each modality's own gradient. Axes: M modalities.

Wei and Hu 2024, arXiv 2405.17730. The loss is that of the joint model plus that of each modality
alone. On the encoder of a modality, with g_w and g_a the gradients of the joint loss and of that
modality alone,

    where g_w . g_a < 0:  a = argmin over [0, 1] of |a g_w + (1 - a) g_a|^2, which is
                          clip((g_a - g_w) . g_a / |g_a - g_w|^2, 0, 1);   else a = 1/2
    h = 2 a g_w + 2 (1 - a) g_a
    g <- scale * max(1, |g_w + g_a| / |h|) * h, the quotient at most 1000

Norms and products are over all weights of an encoder, as in the paper; the authors' code rescales
each weight on its own. Fusion and heads keep their gradients.
"""

from collections.abc import Sequence

import torch
import torch.distributed as dist
from jaxtyping import Float
from torch import Tensor, nn

from mmray.config.training.balance import MmParetoConfig
from mmray.training.data.batch import Batch
from mmray.training.loop.plan import TrainPlan
from mmray.training.modalities.balance.balance import Balance, StepLosses
from mmray.training.modalities.training_model import TrainingOutputs

MAX_QUOTIENT = 1000.0


class MmPareto(Balance):
    """One more backward pass through the encoders gives their own gradients.

    No encoder is reached by the loss of another modality alone, so one pass serves all; and the
    joint gradient is the rest of the gradient of the sum.
    """

    needs_alone = True
    learns_alone = True

    def __init__(
        self, config: MmParetoConfig, plan: TrainPlan, weights: Sequence[Sequence[nn.Parameter]]
    ) -> None:
        super().__init__(plan, weights)
        self.scale = config.scale
        self._own: list[Tensor] = []
        self._conflicts: list[Tensor] = []

    def before_backward(self, losses: StepLosses, views: TrainingOutputs, batch: Batch) -> None:
        """Compute the gradients of each modality alone on its own encoder."""
        flat = [weight for weights in self.weights for weight in weights]
        total = torch.stack(losses.alone).sum()
        found = torch.autograd.grad(total, flat, retain_graph=True, materialize_grads=True)
        had = self._own or [torch.zeros_like(gradient) for gradient in found]
        self._own = [a + b for a, b in zip(had, found, strict=True)]

    def loss(self, losses: StepLosses) -> Float[Tensor, ""]:
        """Return the sum of all losses."""
        return losses.whole + torch.stack(losses.alone).sum()

    def after_backward(self) -> None:
        """Replace the sums by the integrated gradients."""
        own = average(self._own, self.plan.context.world)
        self._own = []
        conflicts: list[Tensor] = []
        for weights in self.weights:
            mine, own = own[: len(weights)], own[len(weights) :]
            pairs = [(w.grad, g) for w, g in zip(weights, mine, strict=True) if w.grad is not None]
            in_conflict = integrate([s for s, _ in pairs], [g for _, g in pairs], self.scale)
            conflicts.append(in_conflict)
        self._conflicts.append(torch.stack(conflicts))

    def metrics(self) -> dict[str, float]:
        """Return in which share of the steps each encoder's gradients were in conflict."""
        shares = torch.stack(self._conflicts).float().mean(dim=0).tolist()
        self._conflicts = []
        names = self.plan.train.modalities
        return {f"train/{name}/conflict": share for name, share in zip(names, shares, strict=True)}


def average(gradients: list[Tensor], world: int) -> list[Tensor]:
    """Return the mean over the workers, by one exchange."""
    if world == 1:
        return gradients
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    dist.all_reduce(flat)
    parts = (flat / world).split([gradient.numel() for gradient in gradients])
    return [part.view_as(like) for part, like in zip(parts, gradients, strict=True)]


def integrate(sums: list[Tensor], own: list[Tensor], scale: float) -> Tensor:
    """Integrate one encoder's gradients in place, and return whether they were in conflict.

    Args:
        sums: gradients of joint loss plus own loss, replaced by the integrated ones.
        own: gradients of the loss of the modality alone.
        scale: of the outcome.
    """
    if not sums:
        return torch.tensor(False)
    whole = [total - alone for total, alone in zip(sums, own, strict=True)]
    ww, wa, aa = _dot(whole, whole), _dot(whole, own), _dot(own, own)
    tiny = torch.finfo(aa.dtype).tiny
    in_conflict = wa < 0.0
    minimum = ((aa - wa) / (ww + aa - 2.0 * wa).clamp(min=tiny)).clamp(0.0, 1.0)
    share = torch.where(in_conflict, minimum, 0.5)  # of the joint loss
    length = 2.0 * _root(share**2 * ww + 2.0 * share * (1 - share) * wa + (1 - share) ** 2 * aa)
    together = _root(ww + 2.0 * wa + aa)
    # Opposite gradients have no direction in common: their h is nothing but rounding.
    length = torch.maximum(length, together / MAX_QUOTIENT).clamp(min=tiny)
    factor = scale * (together / length).clamp(min=1.0)
    for total, first, second in zip(sums, whole, own, strict=True):
        total.copy_(factor * 2.0 * (share * first + (1.0 - share) * second))
    return in_conflict


def _root(square: Tensor) -> Tensor:
    return square.clamp(min=0.0).sqrt()


def _dot(first: list[Tensor], second: list[Tensor]) -> Float[Tensor, ""]:
    products = [torch.sum(a * b) for a, b in zip(first, second, strict=True)]
    return torch.stack(products).sum()
