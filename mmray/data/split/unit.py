"""Rows of a manifest as units for a split. Axes: N rows, U units, L labels."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mmray.core.arrow import pc
from mmray.data.manifest.column import Column
from mmray.data.manifest.label import Labels

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

SIZE = 0
"""The label that every sample has."""
NUMBER_PARTS = 4
"""A number's label is the quarter of all of them that it lies in."""


@dataclass(frozen=True, slots=True)
class Units:
    """Units in the order of their hash, with the samples of each label in each of them."""

    positions: Floats
    """(U) hashes as numbers from 0 to 1, rising."""
    starts: Ints
    """(U + 1) where the labels of each unit begin, the size first."""
    labels: Ints
    """Labels of all units, one unit after the other."""
    samples: Floats
    """Number of samples with that label in that unit."""


def by_hash(units: Units, shares: Floats) -> Ints:
    """Return the split (U) that the hash alone gives each unit, whatever other units there are."""
    bounds = np.cumsum(shares)[:-1]
    bounds[np.flatnonzero(shares > 0)[-1] :] = 1.0  # shares add up to one but for rounding
    return np.searchsorted(bounds, units.positions, side="right").astype(np.int64)


def units_of(
    keys: Column[str], labels: Mapping[str, Labels], position: Callable[[str], float]
) -> tuple[Units, Ints]:
    """Return the units, one per key, and which of them each row is of (N)."""
    encoded = keys_of(keys).dictionary_encode()
    positions = np.array([position(key) for key in encoded.dictionary.to_pylist()])
    order = np.argsort(positions, kind="stable")
    ranks = np.empty(len(order), np.int64)
    ranks[order] = np.arange(len(order))
    unit_of_row = ranks[_numbers(encoded.indices)]
    rows, numbers, num_labels = _labels_of(labels, len(unit_of_row))
    cells = unit_of_row[rows] * num_labels + numbers
    cells, samples = np.unique(cells, return_counts=True)
    units, own = np.divmod(cells, num_labels)
    starts = np.searchsorted(units, np.arange(len(order) + 1))
    return Units(positions[order], starts, own, samples.astype(np.float64)), unit_of_row


def keys_of(keys: Column[str]) -> pa.Array:
    """Return the keys, those of ``instead`` where there is none."""
    return keys.cells if keys.instead is None else pc.coalesce(keys.cells, keys.instead)


def _labels_of(labels: Mapping[str, Labels], num_rows: int) -> tuple[Ints, Ints, int]:
    """Return rows and the labels that they have, as numbers; and how many labels there are."""
    rows, numbers, total = [np.arange(num_rows)], [np.full(num_rows, SIZE)], SIZE + 1
    for name in sorted(labels):
        found, own, count = _label_numbers(pa.array(labels[name]))
        rows.append(found)
        numbers.append(own + total)
        total += count
    return np.concatenate(rows), np.concatenate(numbers), total


def _label_numbers(cells: pa.Array) -> tuple[Ints, Ints, int]:
    """Return rows, the number of a label of each, and how many labels the task has."""
    if pa.types.is_list(cells.type) or pa.types.is_large_list(cells.type):
        rows = _numbers(pc.list_parent_indices(cells))
        names = pc.list_flatten(cells)
    else:
        rows = np.flatnonzero(_numbers(cells.is_valid()))
        names = cells.drop_null()
    if pa.types.is_floating(names.type):
        return rows, *_quarters(names.to_numpy())
    encoded = names.dictionary_encode()
    # In the order of the names and not of the rows.
    ranks = _numbers(pc.rank(encoded.dictionary, tiebreaker="first")) - 1
    return rows, ranks[_numbers(encoded.indices)], len(ranks)


def _quarters(values: np.ndarray[Any, Any]) -> tuple[Ints, int]:
    if not len(values):
        return np.zeros(0, np.int64), 0
    edges = np.unique(np.quantile(values, np.arange(1, NUMBER_PARTS) / NUMBER_PARTS))
    return np.searchsorted(edges, values, side="left"), len(edges) + 1


def _numbers(cells: pa.Array) -> Ints:
    return cells.to_numpy(zero_copy_only=False).astype(np.int64)
