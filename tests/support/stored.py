"""What a feature folder holds, sample by sample."""

from mmray.features.store import read_current
from mmray.features.store.rows import KEYS, read_rows


def read_outcomes(folder):
    """Return ``(reason, detail)`` of each sample in the index; a reason of "" means extracted."""
    table = read_current(folder, ("detail",)).table
    outcomes = zip(table["reason"].to_pylist(), table["detail"].to_pylist(), strict=True)
    return dict(zip(table["sample_id"].to_pylist(), outcomes, strict=True))


def stored_keys(folder):
    """Return the newest payload version of every sample that complete shards of ``folder`` hold."""
    table = read_rows(folder, KEYS).table
    return dict(zip(table["sample_id"].to_pylist(), table["key"].to_pylist(), strict=True))
