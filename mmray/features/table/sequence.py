"""A sequence column: how much of each frequent id a row has. Axes: B rows, K slots."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from mmray.features.table.category import slot_names
from mmray.features.table.spec import EXTRA_SLOTS

Ids = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SequenceState:
    """A sequence column, fitted on the train split, and the weights of ids."""

    column: str
    slots: int
    """Number of slots for ids; where it was fitted by an earlier version, some are unused."""
    known: Sequence[str]
    weighting: Literal["counts", "recent"]
    half_life: float
    max_items: int

    @property
    def names(self) -> list[str]:
        """The names of the slots."""
        return slot_names(self.column, self.slots, self.known)


def encode_sequence(state: SequenceState, values: Sequence[Ids | None]) -> npt.NDArray[np.float64]:
    """Return ``(B, 2 + slots)``: the share of unknown ids, missing, and a vector of length one.

    An empty sequence, or one of unknown ids alone, has a vector of zeros.
    """
    position = {name: slot for slot, name in enumerate(state.known, start=EXTRA_SLOTS)}
    encoded = np.zeros((len(values), EXTRA_SLOTS + state.slots))  # (B, K)
    for row, ids in enumerate(values):
        if ids is None:
            encoded[row, 1] = 1.0
        elif ids:
            kept = ids[-state.max_items :]
            weights = _weights(state, len(kept))
            np.add.at(encoded[row], [position.get(name, 0) for name in kept], weights)
            encoded[row, 0] /= weights.sum()
    known = encoded[:, EXTRA_SLOTS:]
    known /= np.maximum(np.linalg.norm(known, axis=1, keepdims=True), 1e-12)
    return encoded


def _weights(state: SequenceState, length: int) -> npt.NDArray[np.float64]:
    if state.weighting == "counts":
        return np.ones(length)
    return 0.5 ** (np.arange(length - 1, -1, -1) / state.half_life)
