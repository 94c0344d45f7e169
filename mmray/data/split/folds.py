"""The folds of train and val together: each trains a model on all others, which it evaluates.

Axes: N rows, U units.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from mmray.core.kind import Split
from mmray.data.manifest.column import Column
from mmray.data.manifest.label import Labels
from mmray.data.manifest.manifest import Manifest
from mmray.data.split.split import position_of
from mmray.data.split.stratify import stratify
from mmray.data.split.unit import Ints, units_of
from mmray.errors import ManifestError

NO_FOLD = -1
"""The fold of a unit that always trains: no other has one of its classes."""


def fold_manifest(manifest: Manifest, fold: int, folds: int) -> Manifest:
    """Return the manifest whose val split is this fold, and whose train split are the others.

    The test split is as it was. Rows with one group stay together, and every class has its share of
    every fold. The folds follow from groups, labels and ``folds`` alone.

    Raises:
        ManifestError: there are fewer groups than folds.
    """
    rows = np.flatnonzero([split != Split.TEST for split in manifest.splits])
    keys = manifest.ids if manifest.groups is None else manifest.groups
    fold_of_row = assign_folds(
        _taken(keys, rows), {name: _taken(cells, rows) for name, cells in manifest.labels.items()},
        folds,
    )  # fmt: skip
    splits = list(manifest.splits)
    for row, own in zip(rows.tolist(), fold_of_row.tolist(), strict=True):
        splits[row] = Split.VAL if own == fold else Split.TRAIN
    return replace(manifest, splits=splits)


def assign_folds(keys: Column[str], labels: dict[str, Column[Any]], folds: int) -> Ints:
    """Return the fold (N) of every row, from 0; rows with one key are in one fold."""
    found: dict[str, Labels] = dict(labels)
    # Another hash than that of the splits, which would leave val in one piece.
    units, unit_of_row = units_of(keys, found, lambda key: position_of(f"fold {key}", 0))
    count = len(units.positions)
    if count < folds:
        raise ManifestError(
            f"train and val have {count} sample{'s' * (count != 1)} or groups of samples, "
            f"which is not enough for {folds} folds",
            hint="set 'search.folds' to fewer",
        )
    fold = stratify(units, np.full(folds, 1.0 / folds))
    owners = np.repeat(np.arange(count), np.diff(units.starts))
    folds_of_label = np.zeros((int(units.labels.max()) + 1, folds), bool)
    folds_of_label[units.labels, fold[owners]] = True
    is_alone = folds_of_label.sum(axis=1) == 1
    fold[owners[is_alone[units.labels]]] = NO_FOLD
    return fold[unit_of_row]


def _taken(cells: Any, rows: Ints) -> Column[Any]:  # noqa: ANN401
    """Return the cells of some rows, which stay in Arrow."""
    column = cells if isinstance(cells, Column) else Column[Any](pa.array(cells))
    indices = pa.array(rows, pa.int64())
    instead = None if column.instead is None else column.instead.take(indices)
    return Column(column.cells.take(indices), instead)
