"""Plain values between the workers."""

import contextlib
from collections.abc import Generator
from typing import TypeVar

import torch.distributed as dist

from mmray.training.parallel.worker_context import WorkerContext

Value = TypeVar("Value")


def gather(value: Value, context: WorkerContext) -> list[Value]:
    """Return every worker's value, by rank, on every worker."""
    if context.world == 1:
        return [value]
    values: list[Value | None] = [None] * context.world
    dist.all_gather_object(values, value)
    return values  # pyright: ignore[reportReturnType] (all contexts are filled now)


def agree(value: Value, context: WorkerContext) -> Value:
    """Return the first worker's value on every worker, so that all decide the same."""
    return gather(value, context)[0]


@contextlib.contextmanager
def in_turn(context: WorkerContext) -> Generator[None]:
    """Run the block on the first worker before all others."""
    if context.rank > 0:
        gather(None, context)
    yield
    if context.rank == 0:
        gather(None, context)
