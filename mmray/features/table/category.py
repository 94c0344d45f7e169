"""A category column: one slot per frequent name. Axes: B rows, K slots."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mmray.features.table.spec import EXTRA_SLOTS


@dataclass(frozen=True, slots=True)
class CategoryState:
    """A category column, fitted on the train split."""

    column: str
    slots: int
    """Number of slots for names; where it was fitted by an earlier version, some are unused."""
    known: Sequence[str]

    @property
    def names(self) -> list[str]:
        """The names of the slots."""
        return slot_names(self.column, self.slots, self.known)


def most_frequent(groups: Iterable[Iterable[str]], *, most: int, min_count: int) -> list[str]:
    """Return the names that most groups hold; equal ones in alphabetical order."""
    counts = Counter(name for group in groups for name in set(group))
    frequent = [name for name, count in counts.items() if count >= min_count]
    return sorted(frequent, key=lambda name: (-counts[name], name))[:most]


def slot_names(column: str, slots: int, known: Sequence[str]) -> list[str]:
    """Return the names of the slots of a category or sequence column."""
    unused = [f"{column} (unused {number})" for number in range(len(known), slots)]
    named = [f"{column} = {name}" for name in known]
    return [f"{column} is unknown", f"{column} is missing", *named, *unused]


def encode_category(state: CategoryState, values: Sequence[str | None]) -> npt.NDArray[np.float64]:
    """Return ``(B, 2 + slots)``: unknown, missing, and one slot per name, one of them 1."""
    position = {name: slot for slot, name in enumerate(state.known, start=EXTRA_SLOTS)}
    encoded = np.zeros((len(values), EXTRA_SLOTS + state.slots))  # (B, K)
    for row, value in enumerate(values):
        encoded[row, 1 if value is None else position.get(value, 0)] = 1.0
    return encoded
