"""Outputs of a model for samples. Axes: B batch, N samples, C outputs."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from mmray.training.data.epoch import eval_indices
from mmray.training.data.samples import Samples
from mmray.training.tasks.task import Tasks


def predict(
    model: nn.Module, samples: Samples, tasks: Tasks, *, batch_size: int, device: torch.device
) -> dict[str, np.ndarray]:
    """Return the decoded outputs (N, ...) of each task, in the order of the samples."""
    share, outputs = raw_outputs(model, samples, batch_size=batch_size, device=device)
    return decode_all(in_order(share, outputs, tasks), tasks)


def in_order(
    indices: np.ndarray, outputs: dict[str, Tensor], tasks: Tasks
) -> dict[str, Float[Tensor, "N _"]]:
    """Return outputs in the order of the samples; of no samples, none, but for every task."""
    back = np.argsort(indices)
    return {
        name: outputs[name][back] if name in outputs else torch.zeros(0, task.outputs)
        for name, task in tasks.items()
    }


def decode_all(outputs: dict[str, Tensor], tasks: Tasks) -> dict[str, np.ndarray]:
    """Return the outputs of each task as people read them."""
    return {name: tasks[name].decode(values) for name, values in outputs.items()}


@torch.inference_mode()
def raw_outputs(
    model: nn.Module,
    samples: Samples,
    *,
    batch_size: int,
    device: torch.device,
    rank: int = 0,
    world: int = 1,
) -> tuple[np.ndarray, dict[str, Float[Tensor, "N _"]]]:
    """Return one worker's share of the samples, as indices, and each task's outputs for it.

    Samples of like length are batched together, so that little is padded.
    """
    was_training = model.training
    model.eval()
    indices: list[np.ndarray] = []
    outputs: list[dict[str, Tensor]] = []
    for share in eval_indices(samples, batch_size=batch_size, rank=rank, world=world):
        batch = samples.batch(share).to(device)
        indices.append(share)
        outputs.append(model(batch.features, batch.present))
    model.train(was_training)
    if not indices:
        return np.zeros(0, dtype=np.int64), {}
    joined = {
        task: torch.cat([part[task] for part in outputs]).float().cpu() for task in outputs[0]
    }
    return np.concatenate(indices), joined
