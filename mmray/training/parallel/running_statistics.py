"""Running statistics of batch normalisations over all workers."""

import torch
from torch import nn

from mmray.models.batch_statistics import learning_norms
from mmray.training.parallel.exchange import gather
from mmray.training.parallel.worker_context import WorkerContext


@torch.no_grad()
def join_statistics(model: nn.Module, context: WorkerContext) -> None:
    """Set the mean of all workers' running statistics on every worker; all must call this.

    Each has seen its own share of the last batch at least, so that theirs differ.
    """
    buffers = [buffer for norm in learning_norms(model) for buffer in norm.buffers()]
    if context.world == 1 or not buffers:
        return
    everywhere = gather([buffer.cpu() for buffer in buffers], context)
    for buffer, values in zip(buffers, zip(*everywhere, strict=True), strict=True):
        # Floats are averaged; of the counts of batches the largest is kept.
        stacked = torch.stack(values)
        buffer.copy_(
            stacked.double().mean(dim=0) if buffer.is_floating_point() else stacked.amax(dim=0)
        )
