"""Windows of long texts: which share a batch, and how their features become one. Axes: F."""

from collections.abc import Iterator, Sequence

import numpy as np

from mmray.features.extractor import Feature


def cut_batches(lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    """Yield rows such that neighbours in length share a batch of at most ``budget`` tokens.

    Padding costs as much as text, and is counted. A row over the budget has a batch of its own.
    """
    batch: list[int] = []
    for row in sorted(range(len(lengths)), key=lambda row: lengths[row]):
        if batch and (len(batch) + 1) * lengths[row] > budget:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


def join_windows(
    windows: Sequence[Feature], lengths: Sequence[int], owners: Sequence[int], *, is_max: bool
) -> list[Feature]:
    """Return one ``(F,)`` feature per text from those of its windows, which stand side by side.

    It is their maximum, or their mean in which a window weighs as much as it has tokens.
    """
    starts = [row for row in range(len(owners)) if row == 0 or owners[row] != owners[row - 1]]
    features: list[Feature] = []
    for start, end in zip(starts, [*starts[1:], len(owners)], strict=True):
        own = np.stack(windows[start:end])  # (windows, F)
        if len(own) == 1:
            features.append(own[0])
        elif is_max:
            features.append(own.max(axis=0))
        else:
            features.append(np.average(own, axis=0, weights=lengths[start:end]).astype(own.dtype))
    return features
