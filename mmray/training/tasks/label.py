"""Labels as they come from the manifest. Axes: N labels."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from jaxtyping import Bool, Integer, Shaped

from mmray.core.label.cell import Label, is_missing
from mmray.core.label.name import to_name
from mmray.core.text.nearest import listed, nearest, shortened
from mmray.errors import ManifestError, TrainingError


def known_labels(column: str | None, labels: Iterable[Label | None]) -> list[Label]:
    """Return the labels that are there; none at all is a TrainingError."""
    known = [label for label in labels if label is not None and not is_missing(label)]
    if not known:
        raise TrainingError(
            f"no sample of the train split has a label in column {column!r}",
            where=f"column {column}",
            hint="check the column's name, and how the samples are split",
        )
    return known


def class_counts(labels: Iterable[Label]) -> Counter[str]:
    """Return how often each class is among the labels."""
    return Counter(to_name(label) for label in labels)


def at_least_two(column: str | None, classes: Sequence[str]) -> None:
    """Refuse a single class."""
    if len(classes) < 2:
        raise TrainingError(
            f"column {column!r} has only one class: {listed(classes)}",
            where=f"column {column}",
            hint="a classification needs two classes: check the column, and the splits",
        )


def balanced_weights(counts: Mapping[str, int], classes: Sequence[str]) -> tuple[float, ...]:
    """Return the inverse of each class's share, one on average over the labels."""
    total, present = sum(counts.values()), len(counts)
    return tuple(total / (present * counts[c]) if counts.get(c) else 1.0 for c in classes)


def class_numbers(
    classes: Sequence[str], labels: Iterable[Label | None]
) -> Integer[np.ndarray, " N"]:
    """Return each label's index among the classes, -1 for none; an unknown one is an error."""
    numbers = {name: number for number, name in enumerate(classes)}
    return np.array(
        [-1 if is_missing(label) else class_number(numbers, to_name(label)) for label in labels],
        dtype=np.int64,
    )


def class_number(numbers: Mapping[str, int], name: str) -> int:
    """Return the number of a class; an unknown one is a ManifestError."""
    if name in numbers:
        return numbers[name]
    close = nearest(name, numbers)
    raise ManifestError(
        f"unknown class {shortened(name)!r}; the classes are: {listed(numbers)}",
        hint=f"did you mean {shortened(close)!r}?"
        if close
        else "list all classes in tasks.<name>.classes",
    )


def has_label(labels: Shaped[np.ndarray, "N ..."]) -> Bool[np.ndarray, " N"]:
    """Return which encoded labels are there: not -1, not NaN."""
    there: np.ndarray = labels >= 0 if labels.dtype.kind == "i" else ~np.isnan(labels)
    return np.all(there, axis=tuple(range(1, there.ndim)))
