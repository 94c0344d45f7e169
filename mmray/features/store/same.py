"""Versions of a payload that hold the same bytes: which of them the shards name.

``same.parquet`` lies beside the folders of a modality, for it depends on no setting.
"""

from pathlib import Path
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq

from mmray.core.arrow import pc
from mmray.core.file.atomic import replacing
from mmray.features.store.rows import KEYS, locate, read_rows
from mmray.features.store.shard import PATTERN, read_columns

SAME = "same.parquet"
_COLUMNS = (*KEYS, "first")
Keys: TypeAlias = Any
"""An Arrow array, in one part or several."""


def first_versions(root: Path, ids: Keys, keys: Keys) -> pa.Array:
    """Return for each payload the version whose features count; most often its own."""
    if not (root / SAME).is_file():
        return keys
    table, _ = read_columns(root / SAME, _COLUMNS)
    known = pa.table({"sample_id": ids, "key": keys})
    indices = pc.index_in(_pairs(known, "key"), value_set=_pairs(table, "key"))
    return pc.coalesce(table["first"].combine_chunks().take(indices), keys)


def find_moved(root: Path, wanted: pa.Table) -> pa.Table:
    """Return the rows of ``wanted`` that no shard below ``root`` holds in their version.

    Only samples of which an earlier version, and a digest of its bytes, is stored.
    """
    stored = _stored(root)
    is_new = pa.array(locate(wanted, stored) < 0)
    digested = stored.filter(stored["content"].is_valid())
    is_known = pc.is_in(wanted["sample_id"], value_set=digested["sample_id"])
    return wanted.filter(pc.and_(is_new, is_known))


def write_same(root: Path, moved: pa.Table, contents: pa.Array) -> int:
    """Remember which of the ``moved`` versions hold what a stored one holds; return how many.

    ``contents`` are digests of their bytes, null where they cannot be read.
    """
    stored = _stored(root)
    stored = stored.filter(stored["content"].is_valid())
    moved = moved.append_column("content", contents)
    indices = pc.index_in(_pairs(moved, "content"), value_set=_pairs(stored, "content"))
    first = stored["key"].combine_chunks().take(indices)
    found = pa.table([moved["sample_id"], moved["key"], first], names=list(_COLUMNS))
    found = found.filter(found["first"].is_valid())
    if len(found):
        earlier = [read_columns(root / SAME, _COLUMNS)[0]] if (root / SAME).is_file() else []
        with replacing(root / SAME) as temporary:
            pq.write_table(pa.concat_tables([*earlier, found]), temporary, compression="zstd")
    return len(found)


def _stored(root: Path) -> pa.Table:
    """Return sample, version and digest of the bytes of all that is stored of a modality."""
    folders = sorted({path.parent for path in root.glob(f"*/{PATTERN}")})
    columns = [*KEYS, "content"]
    tables = [read_rows(folder, columns).table.select(columns) for folder in folders]
    return pa.concat_tables([_EMPTY, *tables], promote_options="permissive")


_EMPTY = pa.table({name: pa.array([], pa.string()) for name in (*KEYS, "content")})


def _pairs(table: pa.Table, column: str) -> pa.Array:
    joined = pc.binary_join_element_wise(table["sample_id"], table[column], "\0")
    return joined.combine_chunks() if isinstance(joined, pa.ChunkedArray) else joined
