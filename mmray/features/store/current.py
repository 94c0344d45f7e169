"""The rows that count: those that the index names."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from mmray.core.arrow import pc
from mmray.features.store.index import STORED, Wanted, read_index_table, write_index
from mmray.features.store.rows import StoredRows, read_rows


def read_current(folder: Path, columns: Sequence[str] = ()) -> StoredRows:
    """Read the rows that the index names, in its order; those that no shard holds are left out.

    The table has the index's columns and ``columns`` of the shards.
    """
    return rows_of(read_index_table(folder), read_rows(folder, columns), columns)


def write_current(folder: Path, wanted: Wanted, columns: Sequence[str] = ()) -> StoredRows:
    """Write the index of what is wanted, and return what ``read_current`` reads then."""
    stored = read_rows(folder, [*STORED, *columns])
    return rows_of(write_index(folder, wanted, stored), stored, columns)


def rows_of(index: pa.Table, stored: StoredRows, columns: Sequence[str]) -> StoredRows:
    """Return the stored rows that an index names, with ``columns`` of theirs."""
    index = index.filter(index["shard"].is_valid())
    names = pa.array([path.name for path in stored.shards], pa.string())
    numbers = np.asarray(pc.index_in(index["shard"], value_set=names).fill_null(-1))
    sizes = np.bincount(np.asarray(stored.table["shard"]), minlength=len(names))
    starts = np.append(np.cumsum(sizes) - sizes, 0)
    rows = starts[numbers] + np.asarray(index["row"])
    is_there = numbers >= 0
    index = index.filter(pa.array(is_there))
    found = stored.table.take(pa.array(rows[is_there]))
    for name in columns:
        index = index.append_column(name, found[name])
    index = index.set_column(index.column_names.index("shard"), "shard", found["shard"])
    return StoredRows(stored.shards, stored.abouts, index)


def sum_tallies(table: pa.Table) -> Counter[str]:
    """Return the sum of the tallies of some rows."""
    total: Counter[str] = Counter()
    # Many rows hold the same text, so each text is parsed once.
    for counted in pc.value_counts(table["tally"].drop_null()).to_pylist():
        for name, number in json.loads(counted["values"]).items():
            total[name] += number * counted["counts"]
    return total
