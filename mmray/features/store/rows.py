"""Which samples a folder's shards hold, in which version and with what outcome."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mmray.features.store.arrow import pc
from mmray.features.store.index import index_table, read_index_table
from mmray.features.store.shard import read_columns, shards_of

KEYS = ("sample_id", "key")
LIMITED_BY = {
    "too_large": "max_payload_bytes",
    "outside_corpus": "allow",
    "decode_timeout": "max_decode_s",
}
"""Reasons that another setting of ``data`` could undo."""

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class StoredRows:
    """Every row of every shard, older versions included; oldest shard first."""

    shards: list[Path]
    abouts: list[dict[str, Any]]
    """What each shard says of itself."""
    table: pa.Table
    """The columns asked for, and ``shard`` and ``row``: where the row stands."""


@dataclass(frozen=True, slots=True)
class Gaps:
    """Samples that are to be computed, by why."""

    new: list[str]
    changed: list[str]
    """Stored, but from another version of the payload."""
    again: list[str]
    """Rejected, and the setting that rejected them is another now; or asked for."""

    @property
    def samples(self) -> set[str]:
        """All of them."""
        return {*self.new, *self.changed, *self.again}


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
        places = {name: pa.array([], pa.int32()) for name in ("shard", "row")}
        return StoredRows([], [], pa.table(empty | places))
    return StoredRows(shards, abouts, pa.concat_tables(tables, promote_options="permissive"))


def locate(wanted: pa.Table, stored: pa.Table) -> Rows:
    """Return for each (sample, key) of ``wanted`` its newest row in ``stored``, or -1."""
    places = np.full(len(wanted), -1, dtype=np.int64)
    found = pc.index_in(_pairs(stored), value_set=_pairs(wanted))
    rows = np.flatnonzero(np.asarray(found.is_valid()))
    # Of equal places the last is kept, and newer shards come last.
    places[found.drop_null().to_numpy()] = rows
    return places


def _pairs(table: pa.Table) -> pa.ChunkedArray:
    joined = pc.binary_join_element_wise(table["sample_id"], table["key"], "\0")
    return joined.combine_chunks()


def read_current(folder: Path, columns: Sequence[str] = ()) -> StoredRows:
    """Read the rows that the index names, in its order; those that no shard holds are left out."""
    stored = read_rows(folder, [*KEYS, *columns])
    places = locate(read_index_table(folder), stored.table)
    table = stored.table.take(places[places >= 0])
    return StoredRows(stored.shards, stored.abouts, table)


def stored_keys(folder: Path) -> dict[str, str]:
    """Return the newest payload version of every sample that complete shards of ``folder`` hold."""
    table = read_rows(folder, KEYS).table
    return dict(zip(table["sample_id"].to_pylist(), table["key"].to_pylist(), strict=True))


def read_outcomes(folder: Path) -> dict[str, tuple[str, str]]:
    """Return ``(reason, detail)`` of each sample in the index; a reason of "" means extracted."""
    table = read_current(folder, ("reason", "detail")).table
    outcomes = zip(table["reason"].to_pylist(), table["detail"].to_pylist(), strict=True)
    return dict(zip(table["sample_id"].to_pylist(), outcomes, strict=True))


def sum_tallies(table: pa.Table) -> Counter[str]:
    """Return the sum of the tallies of some rows."""
    total: Counter[str] = Counter()
    # Many rows tell the same, so each telling is read once.
    for counted in pc.value_counts(table["tally"].drop_null()).to_pylist():
        for name, number in json.loads(counted["values"]).items():
            total[name] += number * counted["counts"]
    return total


def find_gaps(
    folder: Path,
    wanted: Mapping[str, str],
    *,
    limits: Mapping[str, Any] | None = None,
    retry: bool = False,
) -> Gaps:
    """Compare the payload versions that are wanted with what the shards of ``folder`` hold.

    A payload that was rejected by a limit is wanted again under another one; with ``retry`` every
    rejected one is.
    """
    stored = read_rows(folder, [*KEYS, "reason"])
    table = index_table(wanted)
    places = locate(table, stored.table)
    ids = table["sample_id"]
    is_absent = places < 0
    is_known = np.asarray(pc.is_in(ids, value_set=stored.table["sample_id"]))
    rejected = _rejected_in_vain(stored, limits, retry=retry)
    is_again = ~is_absent & np.append(rejected, False)[places]  # -1 is the one that was appended
    return Gaps(
        new=ids.filter(pa.array(is_absent & ~is_known)).to_pylist(),
        changed=ids.filter(pa.array(is_absent & is_known)).to_pylist(),
        again=ids.filter(pa.array(is_again)).to_pylist(),
    )


def _rejected_in_vain(
    stored: StoredRows, limits: Mapping[str, Any] | None, *, retry: bool
) -> npt.NDArray[np.bool_]:
    """Say of each row whether it was rejected and might not be now."""
    reasons = stored.table["reason"]
    if retry:
        return np.asarray(pc.not_equal(reasons, ""))
    found = np.zeros(len(stored.table), dtype=np.bool_)
    if limits is None:
        return found
    shard = stored.table["shard"].to_numpy()
    for reason, limit in LIMITED_BY.items():
        is_other = np.array(
            [
                (about.get("limits") or limits).get(limit) != limits[limit]
                for about in stored.abouts
            ],
            dtype=np.bool_,
        )
        if is_other.any():
            found |= np.asarray(pc.equal(reasons, reason)) & is_other[shard]
    return found
