"""Plain values between the workers."""

import contextlib
from collections.abc import Generator
from typing import TypeVar

import torch.distributed as dist

from mmray.training.parallel.worker_context import Place

Value = TypeVar("Value")


def gather(value: Value, place: Place) -> list[Value]:
    """Return every worker's value, by rank, on every worker."""
    if place.world == 1:
        return [value]
    values: list[Value | None] = [None] * place.world
    dist.all_gather_object(values, value)
    return values  # pyright: ignore[reportReturnType] (all places are filled now)


def agree(value: Value, place: Place) -> Value:
    """Return the first worker's value on every worker, so that all decide alike."""
    return gather(value, place)[0]


@contextlib.contextmanager
def in_turn(place: Place) -> Generator[None]:
    """Let the first worker through the block before all the others."""
    if place.rank > 0:
        gather(None, place)
    yield
    if place.rank == 0:
        gather(None, place)
