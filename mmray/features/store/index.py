"""The index of a feature folder: which samples, and which version of each, it stands for."""

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from mmray.core.atomic import replacing
from mmray.features.store.shard import read_columns

INDEX = "index.parquet"
SCHEMA = pa.schema({"sample_id": pa.string(), "key": pa.string()})


def index_table(wanted: Mapping[str, str]) -> pa.Table:
    """Return sample ids and payload versions as a table."""
    columns = {"sample_id": list(wanted), "key": list(wanted.values())}
    return pa.table(columns, schema=SCHEMA)


def write_index(folder: Path, wanted: Mapping[str, str]) -> None:
    """Write which samples, and which version of their payload, the folder stands for now."""
    with replacing(folder / INDEX) as temporary:
        pq.write_table(index_table(wanted), temporary, compression="zstd")


def read_index_table(folder: Path) -> pa.Table:
    """Read back what ``write_index`` wrote; a broken file is an ExtractionError."""
    return read_columns(folder / INDEX, SCHEMA.names)[0]


def read_index(folder: Path) -> dict[str, str]:
    """Return the index as sample id -> payload version."""
    table = read_index_table(folder)
    return dict(zip(table["sample_id"].to_pylist(), table["key"].to_pylist(), strict=True))
