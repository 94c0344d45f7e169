"""Per-modality metrics of an epoch's steps. Axes: M modalities, K tasks."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from mmray.training.data.batch import Batch
from mmray.training.loop.plan import TrainPlan
from mmray.training.parallel.exchange import gather
from mmray.training.tasks.build import independent_tasks


class ModalityWatch:
    """Gradient norms of the encoders, before clipping, and losses of each modality alone.

    All is added up where it is, so that no step waits for it.
    """

    def __init__(self, plan: TrainPlan) -> None:
        self._plan = plan
        self._tasks = tuple(independent_tasks(plan.tasks))
        self._clear()

    def _clear(self) -> None:
        self._norms: list[Tensor] = []
        self._losses: Tensor | None = None

    def add_gradients(self, norms: Sequence[Float[Tensor, ""]]) -> None:
        """Add the norm of each encoder's gradient, that of the global batch."""
        self._norms.append(torch.stack(list(norms)))  # (M)

    def add_losses(self, alone_sums: Sequence[Mapping[str, Tensor]], batch: Batch) -> None:
        """Add this worker's losses of each modality alone, and their labels."""
        if not alone_sums:
            return
        found = [
            torch.stack([sums[task].detach(), kept.sum().to(sums[task].dtype)])
            for modality, sums in enumerate(alone_sums)
            for task in self._tasks
            for kept in [batch.labelled[task] & batch.present[:, modality]]
        ]
        total = torch.stack(found).view(len(alone_sums), -1, 2)
        self._losses = total if self._losses is None else self._losses + total

    def metrics(self) -> dict[str, float]:
        """Return the mean over the steps, each encoder's share of it, and losses; begin anew.

        A step that a loss scaler left out, its gradients being infinite, does not count.
        """
        names = tuple(self._plan.train.modalities)
        found: dict[str, float] = {}
        steps = torch.stack(self._norms) if self._norms else torch.empty(0, len(names))
        steps = steps[steps.isfinite().all(dim=1)]
        if len(steps):
            norms = steps.mean(dim=0).tolist()
            for name, norm in zip(names, norms, strict=True):
                found[f"train/{name}/gradient_norm"] = norm
                found[f"train/{name}/gradient_share"] = norm / (sum(norms) or 1.0)
        if self._losses is not None:
            everywhere = np.sum(gather(self._losses.cpu().double().numpy(), self._plan.context), 0)
            found |= self._mean_losses(names, everywhere)
        self._clear()
        return found

    def _mean_losses(
        self, names: Sequence[str], sums: Float[np.ndarray, "M K 2"]
    ) -> dict[str, float]:
        return {
            f"train/{task}/{name}/loss": float(total / max(1.0, count))
            for name, rows in zip(names, sums, strict=True)
            for task, (total, count) in zip(self._tasks, rows, strict=True)
        }
