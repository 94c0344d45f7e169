"""A step in parts, so that a large batch needs the memory of a small one. Axes: B batch."""

import contextlib
import itertools
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace

from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from mmray.models.feature_batch import FeatureBatch
from mmray.training.data.batch import Batch
from mmray.training.parallel.sharded import synchronise


def cut(batch: Batch, parts: int) -> Iterator[Batch]:
    """Yield the batch in ``parts``, or in fewer if a worker has fewer samples; none is empty.

    Each part knows the labels of the complete batch, so the gradients of all parts add up to its
    gradient. All workers have the same number: with sharded weights, each part is one exchange
    between them.
    """
    size = len(batch.present)
    parts = max(1, min(parts, size if batch.least is None else batch.least))
    bounds = [size * part // parts for part in range(parts + 1)]
    for start, stop in itertools.pairwise(bounds):
        yield _rows(batch, slice(start, stop), 1.0 / parts) if parts > 1 else batch


def unsynchronised(wrapped: nn.Module, *, is_last: bool) -> AbstractContextManager[None]:
    """Return a context in which data parallelism does not exchange gradients yet."""
    synchronise(wrapped, is_on=is_last)
    if is_last:
        return contextlib.nullcontext()
    # Compiled or not: the modules of what torch.compile has wrapped are among its own.
    parallel = [each for each in wrapped.modules() if isinstance(each, DistributedDataParallel)]
    return parallel[0].no_sync() if parallel else contextlib.nullcontext()


def _rows(batch: Batch, rows: slice, share: float) -> Batch:
    def lengths(values: Tensor | None) -> Tensor | None:
        return None if values is None else values[rows]

    return replace(
        batch,
        features={
            name: FeatureBatch(feature.values[rows], lengths(feature.lengths))
            for name, feature in batch.features.items()
        },
        present=batch.present[rows],
        labels={task: labels[rows] for task, labels in batch.labels.items()},
        labelled={task: mask[rows] for task, mask in batch.labelled.items()},
        share=share,
    )
