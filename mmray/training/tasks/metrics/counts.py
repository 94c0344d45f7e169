"""What counts of right and wrong guesses give. Axes: C classes."""

from typing import Literal, NamedTuple

import torch
from jaxtyping import Bool, Float, Integer, Shaped
from torch import Tensor

Average = Literal["macro", "weighted", "none"]


class Counts(NamedTuple):
    """Per class (C), or of one class or of all together without an axis."""

    found: Integer[Tensor, "..."]
    """Guesses of the class that are right."""
    wrong: Integer[Tensor, "..."]
    """Guesses of the class that are not."""
    missed: Integer[Tensor, "..."]
    """Labels of the class that were guessed otherwise."""

    @property
    def there(self) -> Bool[Tensor, "..."]:
        """Which classes are among the labels or the guesses."""
        return self.found + self.wrong + self.missed > 0


def count_flags(guess: Integer[Tensor, "N ..."], flags: Integer[Tensor, "N ..."]) -> Counts:
    """Count guesses of zeros and ones, for each column on its own."""
    guessed, labelled = guess == 1, flags == 1
    return Counts(
        (guessed & labelled).sum(dim=0),
        (guessed & ~labelled).sum(dim=0),
        (~guessed & labelled).sum(dim=0),
    )


def count_classes(matrix: Integer[Tensor, "C C"]) -> Counts:
    """Count from a confusion matrix, a row per label."""
    found = matrix.diagonal()
    return Counts(found, matrix.sum(dim=0) - found, matrix.sum(dim=1) - found)


def precision(counts: Counts) -> Float[Tensor, "..."]:
    """Return the share of the guesses that are right; 0 where there is none."""
    return share(counts.found, counts.found + counts.wrong)


def recall(counts: Counts) -> Float[Tensor, "..."]:
    """Return the share of the labels that were guessed; 0 where there is none."""
    return share(counts.found, counts.found + counts.missed)


def f1(counts: Counts) -> Float[Tensor, "..."]:
    """Return the harmonic mean of both; 0 where the class is nowhere."""
    return share(2 * counts.found, 2 * counts.found + counts.wrong + counts.missed)


def averaged(values: Float[Tensor, " C"], counts: Counts, average: Average) -> Float[Tensor, "..."]:
    """Return a value per class, or the mean: over classes that are there, or by their labels."""
    if average == "none":
        return values
    weights = counts.found + counts.missed if average == "weighted" else counts.there
    return share(weights * values, weights.sum()).sum()


def share(part: Shaped[Tensor, "..."], whole: Shaped[Tensor, "..."]) -> Float[Tensor, "..."]:
    """Return ``part`` of ``whole`` in float32; 0 of nothing."""
    return torch.where(whole != 0, part.float() / whole.float(), 0.0)
