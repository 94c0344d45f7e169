"""The index of a feature folder: its samples, the version of each that counts, and where it is."""

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from mmray.core.file.atomic import replacing
from mmray.features.store.rows import KEYS, StoredRows, locate, read_rows
from mmray.features.store.shard import read_columns

INDEX = "index.parquet"
STORED = (*KEYS, "reason", "length")
COLUMNS = (*STORED, "shard", "row")


Wanted = Mapping[str, str] | pa.Table
"""Sample id -> version of its payload; or a table with both, which takes a tenth of the memory."""


def wanted_table(wanted: Wanted) -> pa.Table:
    """Return sample ids and payload versions as a table."""
    if isinstance(wanted, pa.Table):
        return wanted
    columns = {"sample_id": list(wanted), "key": list(wanted.values())}
    return pa.table(columns, schema=pa.schema([(name, pa.string()) for name in KEYS]))


def write_index(folder: Path, wanted: Wanted, stored: StoredRows | None = None) -> pa.Table:
    """Write the samples, and the versions of their payloads, that the folder holds now.

    ``stored`` are its rows, with at least the columns ``STORED``, where they have been read.
    Returns the index.
    """
    table = _located(wanted_table(wanted), stored or read_rows(folder, STORED))
    with replacing(folder / INDEX) as temporary:
        pq.write_table(table, temporary, compression="zstd")
    return table


def _located(wanted: pa.Table, stored: StoredRows) -> pa.Table:
    """Return the index: nulls stand where no shard holds a sample."""
    locations = locate(wanted, stored.table)
    rows = stored.table.take(pa.array(locations, mask=locations < 0))
    names = pa.array([path.name for path in stored.shards], pa.string())
    found = {
        "reason": rows["reason"],
        "length": rows["length"].cast(pa.int32()),
        "shard": names.take(rows["shard"].combine_chunks()),
        "row": rows["row"],
    }
    for name, column in found.items():
        wanted = wanted.append_column(name, column)
    return wanted


def read_index_table(folder: Path, *, sha256: str | None = None) -> pa.Table:
    """Read back what ``write_index`` wrote; a broken file is an ExtractionError."""
    table, _ = read_columns(folder / INDEX, COLUMNS, sha256=sha256)
    if table["row"].type != pa.int32():  # of an earlier layout: it does not say where
        return _located(table.select(list(KEYS)), read_rows(folder, STORED))
    return table


def read_index(folder: Path) -> dict[str, str]:
    """Return the index as sample id -> payload version."""
    table, _ = read_columns(folder / INDEX, KEYS)
    return dict(zip(table["sample_id"].to_pylist(), table["key"].to_pylist(), strict=True))
