"""The batches of one epoch, and every worker's share of them. Axes: B batch."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from jaxtyping import Integer

from mmray.training.data.batch import Batch
from mmray.training.data.samples import Samples
from mmray.training.tasks.label import has_label


def num_train_batches(num_samples: int, *, batch_size: int, world: int) -> int:
    """Return the steps of an epoch: a last batch with too few samples for all is left out."""
    whole, rest = divmod(num_samples, batch_size)
    return (whole if batch_size >= world else 0) + (rest >= world)


def train_batches(
    samples: Samples, order: Integer[np.ndarray, " N"], *, batch_size: int, rank: int, world: int
) -> Iterator[Batch]:
    """Yield one worker's share of each global batch; every worker gets as many batches.

    The global batches depend on the order only, not on the workers.
    """
    known = {task: has_label(labels) for task, labels in samples.labels.items()}
    for step in range(num_train_batches(len(order), batch_size=batch_size, world=world)):
        indices = order[step * batch_size : (step + 1) * batch_size]
        totals = {task: int(np.count_nonzero(mask[indices])) for task, mask in known.items()}
        batch = samples.batch(np.array_split(indices, world)[rank], totals)
        yield replace(batch, least=len(indices) // world)


def eval_indices(
    samples: Samples, *, batch_size: int, rank: int, world: int
) -> Iterator[Integer[np.ndarray, " B"]]:
    """Yield one worker's share of all samples, each once, those of like length together."""
    share = np.argsort(samples.lengths(), kind="stable")[rank::world]
    for start in range(0, len(share), batch_size):
        yield share[start : start + batch_size]
