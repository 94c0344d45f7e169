"""The wanted payload versions that a folder lacks."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mmray.core.arrow import pc
from mmray.features.store.index import Wanted, wanted_table
from mmray.features.store.rows import KEYS, StoredRows, locate, read_rows

LIMITED_BY = {
    "too_large": "max_payload_bytes",
    "outside_corpus": "allow",
    "decode_timeout": "max_decode_s",
}
"""Reasons that another setting of ``data`` could undo."""


@dataclass(frozen=True, slots=True)
class Gaps:
    """Samples to compute, by reason."""

    new: list[str]
    changed: list[str]
    """Stored, but from another version of the payload."""
    again: list[str]
    """Rejected, and the setting that rejected them is another now; or asked for."""

    @property
    def samples(self) -> set[str]:
        """All of them."""
        return {*self.new, *self.changed, *self.again}


def find_gaps(
    folder: Path,
    wanted: Wanted,
    *,
    limits: Mapping[str, Any] | None = None,
    retry: bool = False,
) -> Gaps:
    """Compare the payload versions that are wanted with what the shards of ``folder`` hold.

    A payload that was rejected by a limit is wanted again under another one; with ``retry`` every
    rejected one is.
    """
    stored = read_rows(folder, [*KEYS, "reason"])
    table = wanted_table(wanted)
    locations = locate(table, stored.table)
    ids = table["sample_id"]
    is_absent = locations < 0
    is_known = np.asarray(pc.is_in(ids, value_set=stored.table["sample_id"]))
    rejected = _rejected_in_vain(stored, limits, retry=retry)
    is_again = ~is_absent & np.append(rejected, False)[locations]  # -1 is the one that was appended
    return Gaps(
        new=ids.filter(pa.array(is_absent & ~is_known)).to_pylist(),
        changed=ids.filter(pa.array(is_absent & is_known)).to_pylist(),
        again=ids.filter(pa.array(is_again)).to_pylist(),
    )


def _rejected_in_vain(
    stored: StoredRows, limits: Mapping[str, Any] | None, *, retry: bool
) -> npt.NDArray[np.bool_]:
    """Return, per row, whether it was rejected and might not be now."""
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
