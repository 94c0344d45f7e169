"""Which sample is used for what: by a column, or by hash and labels; never by the order of rows."""

import hashlib
from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from mmray.config.data import SplitConfig
from mmray.core.kind import Split
from mmray.core.label.cell import is_missing
from mmray.core.label.name import to_name
from mmray.data.layouts.folders import SPLITS
from mmray.data.manifest.column import Column, Gathered
from mmray.data.manifest.label import Labels
from mmray.data.split.stratify import stratify
from mmray.data.split.unit import Floats, by_hash, units_of
from mmray.data.table.table import Chunk
from mmray.errors import ManifestError


class GatheredSplits:
    """The value that decides the split of every row: its split or its group."""

    def __init__(self, config: SplitConfig) -> None:
        self._config = config
        self._explicit: list[Split] = []
        self._groups = Gathered[str | None](pa.string())

    def add(self, chunk: Chunk) -> None:
        """Keep what some rows say; a cell that is no split is a ManifestError."""
        if self._config.column is not None:
            column = self._config.column
            self._explicit += [
                _explicit_split(row.get(column), column, location)
                for row, location in zip(chunk.rows, chunk.locations, strict=True)
            ]
        if self._config.group is not None:
            column = self._config.group
            self._groups.add(
                [
                    _group(row.get(column), column, location)
                    for row, location in zip(chunk.rows, chunk.locations, strict=True)
                ]
            )

    def keys(self, ids: Column[str]) -> Column[str]:
        """Return what keeps rows together; a sample without a group is a group of its own."""
        if self._config.group is None:
            return ids
        return Column[str](self._groups.column().cells, ids.cells)

    def splits(self, keys: Column[str], labels: Mapping[str, Labels]) -> list[Split]:
        """Return the split of every row."""
        if self._config.column is not None:
            return self._explicit
        return assign_splits(keys, labels, self._config)


def assign_splits(
    keys: Column[str], labels: Mapping[str, Labels], config: SplitConfig
) -> list[Split]:
    """Return the split of every row; rows with one key stay together.

    It follows from all keys, their labels, and the seed: the same on any machine, in any order.
    """
    units, unit_of_row = units_of(keys, labels, lambda key: position_of(key, config.seed))
    shares: Floats = np.array([config.train, config.val, config.test])
    found = by_hash(units, shares) if config.by == "hash" else stratify(units, shares)
    names = list(Split)
    return [names[number] for number in found[unit_of_row].tolist()]


def position_of(key: str, seed: int) -> float:
    """Return a number from 0 to 1 that follows from the key and the seed alone."""
    digest = hashlib.sha256(f"{seed}:{key}".encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64


def _explicit_split(value: object, column: str, location: str) -> Split:
    name = to_name(value).lower() if isinstance(value, str) else ""
    if name in SPLITS:
        return Split(SPLITS[name])
    raise ManifestError(
        f"{column}: {value!r:.80} is not a split", where=location, hint="write train, val or test"
    )


def _group(value: object, column: str, location: str) -> str | None:
    if is_missing(value):
        return None
    try:
        return to_name(value) or None
    except ValueError as error:
        raise ManifestError(
            f"{column}: {value!r:.80} {error}", where=location, hint="see 'data.split.group'"
        ) from None
