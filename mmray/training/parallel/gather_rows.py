"""The rows of all workers, on every worker, with their gradient. Axes: B rows, G of all workers."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.distributed as dist
from jaxtyping import Shaped
from torch import Tensor

from mmray.training.parallel.worker_context import WorkerContext


def row_counts(count: int, context: WorkerContext) -> list[int]:
    """Return how many rows each worker has, by rank."""
    if context.world == 1:
        return [count]
    own = torch.tensor([count], device=context.device)
    counts = [torch.zeros_like(own) for _ in range(context.world)]
    dist.all_gather(counts, own)
    return [int(c) for c in counts]


def gather_rows(
    rows: Shaped[Tensor, "B ..."], counts: Sequence[int], context: WorkerContext
) -> Shaped[Tensor, "G ..."]:
    """Return all workers' rows by rank; ``counts`` are theirs, and may differ.

    The gradient of a row is the sum over all workers' losses.
    """
    if context.world == 1:
        return rows
    missing = max(counts) - len(rows)
    padded = torch.cat([rows, rows.new_zeros((missing, *rows.shape[1:]))])
    gathered: Tensor = _AllGather.apply(padded, context.rank, context.world)  # (world, most, ...)
    return torch.cat([part[:count] for part, count in zip(gathered, counts, strict=True)])


class _AllGather(torch.autograd.Function):
    """``torch.distributed.nn`` has the same for NCCL alone; gloo lacks its backward pass."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, rank: int, world: int) -> Tensor:  # noqa: ANN401
        """Return (world, B, ...)."""
        ctx.rank = rank
        parts = [torch.empty_like(rows) for _ in range(world)]
        dist.all_gather(parts, rows.contiguous())
        return torch.stack(parts)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:  # noqa: ANN401
        """Return this worker's part of the sum over all workers."""
        total = gradients[0].contiguous().clone()
        dist.all_reduce(total)
        return total[ctx.rank], None, None
