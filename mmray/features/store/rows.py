"""The rows of all shards of a folder, older versions included."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mmray.core.arrow import pc
from mmray.features.store.shard import read_columns, shards_of

KEYS = ("sample_id", "key")
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class StoredRows:
    """Every row of every shard, older versions included; oldest shard first."""

    shards: list[Path]
    abouts: list[dict[str, Any]]
    """The metadata of each shard."""
    table: pa.Table
    """The columns asked for, and ``shard`` and ``row``: where the row stands."""


def read_rows(folder: Path, columns: Sequence[str]) -> StoredRows:
    """Read some columns of every shard."""
    shards = shards_of(folder)
    tables: list[pa.Table] = []
    abouts: list[dict[str, Any]] = []
    for number, path in enumerate(shards):
        table, about = read_columns(path, columns)
        rows = pa.array(np.arange(len(table), dtype=np.int32))
        shard = pa.array(np.full(len(table), number, dtype=np.int32))
        tables.append(table.append_column("shard", shard).append_column("row", rows))
        abouts.append(about)
    if not tables:
        empty = {name: pa.array([], pa.string()) for name in columns}
        locations = {name: pa.array([], pa.int32()) for name in ("shard", "row")}
        return StoredRows([], [], pa.table(empty | locations))
    return StoredRows(shards, abouts, pa.concat_tables(tables, promote_options="permissive"))


def locate(wanted: pa.Table, stored: pa.Table) -> Rows:
    """Return for each (sample, key) of ``wanted`` its newest row in ``stored``, or -1."""
    locations = np.full(len(wanted), -1, dtype=np.int64)
    found = pc.index_in(_pairs(stored), value_set=_pairs(wanted))
    rows = np.flatnonzero(np.asarray(found.is_valid()))
    # Newer shards come last, and the last of equal locations is kept.
    locations[found.drop_null().to_numpy()] = rows
    return locations


def _pairs(table: pa.Table) -> pa.ChunkedArray:
    joined = pc.binary_join_element_wise(table["sample_id"], table["key"], "\0")
    return joined.combine_chunks()
