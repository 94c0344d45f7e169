"""The feature store: plain Parquet, readable without Ray. Axes: N samples.

One folder per modality and fingerprint. A shard holds the columns ``sample_id``, ``key`` (names
the payload's version), ``reason`` and ``detail`` (empty when extracted) and ``feature`` (values in
row-major order, null when rejected; a ragged feature's length follows from their number).
Older versions of a sample may lie in older shards; ``index.parquet`` says which version counts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mmray.core.atomic import replacing
from mmray.core.fingerprint import digest_lines
from mmray.core.spec import FeatureSpec
from mmray.features.extractor import ExtractedBatch

KEYS = ["sample_id", "key"]
INDEX = pa.schema({"sample_id": pa.string(), "key": pa.string()})


@dataclass(frozen=True, slots=True)
class StoredFeatures:
    """One modality's features for N wanted samples, in their order."""

    values: np.ndarray[Any, Any]
    """Dense ``(N, *shape)`` with zeros where absent; ragged: all values along the first axis."""
    offsets: np.ndarray[Any, Any] | None
    """Ragged only: ``(N + 1)`` bounds along the first axis of ``values``."""
    present: np.ndarray[Any, Any]
    """``(N)`` bool."""


def write_shard(
    folder: Path, ids: Sequence[str], keys: Sequence[str], batch: ExtractedBatch, spec: FeatureSpec
) -> Path:
    """Write one shard whole or not at all; the same samples give the same name."""
    dtype = pa.from_numpy_dtype(np.dtype(spec.dtype))
    # The clips of a shard can have more values than a 32-bit offset reaches.
    list_of = pa.large_list if spec.layout == "frames" else pa.list_
    flat = [None if feature is None else feature.ravel() for feature in batch.features]
    table = pa.table(
        {
            "sample_id": pa.array(ids, pa.string()),
            "key": pa.array(keys, pa.string()),
            "reason": pa.array(batch.reasons, pa.string()),
            "detail": pa.array(batch.details, pa.string()),
            "feature": pa.array(flat, list_of(dtype)),
        }
    )
    name = digest_lines(f"{i} {k}" for i, k in zip(ids, keys, strict=True))
    path = folder / f"shard-{name}.parquet"
    with replacing(path) as temporary:
        pq.write_table(table, temporary, compression="zstd")
    return path


def stored_keys(folder: Path) -> dict[str, str]:
    """Return the payload version of every sample that complete shards of ``folder`` hold."""
    found: dict[str, str] = {}
    for shard in shards_of(folder):
        table = pq.read_table(shard, columns=KEYS)
        found.update(zip(table["sample_id"].to_pylist(), table["key"].to_pylist(), strict=True))
    return found


def shards_of(folder: Path) -> list[Path]:
    """Return the complete shards, oldest first, so that a newer version of a sample wins."""
    return sorted(folder.glob("shard-*.parquet"), key=lambda path: (path.stat().st_mtime_ns, path))


def write_index(folder: Path, wanted: Mapping[str, str]) -> None:
    """Write which samples, and which version of their payload, the folder stands for now."""
    table = pa.table({"sample_id": list(wanted), "key": list(wanted.values())}, schema=INDEX)
    with replacing(folder / "index.parquet") as temporary:
        pq.write_table(table, temporary, compression="zstd")


def read_index(folder: Path) -> dict[str, str]:
    """Read back what ``write_index`` wrote."""
    table = pq.read_table(folder / "index.parquet")
    return dict(zip(table["sample_id"].to_pylist(), table["key"].to_pylist(), strict=True))


def read_outcomes(folder: Path) -> dict[str, tuple[str, str]]:
    """Return ``(reason, detail)`` of each sample in the index; a reason of "" means extracted."""
    wanted = read_index(folder)
    outcomes: dict[str, tuple[str, str]] = {}
    for shard in shards_of(folder):
        columns = pq.read_table(shard, columns=[*KEYS, "reason", "detail"]).to_pydict()
        for sample, key, reason, detail in zip(*columns.values(), strict=True):
            if wanted.get(sample) == key:
                outcomes[sample] = (reason, detail)
    return outcomes


def read_features(folder: Path, ids: Sequence[str], spec: FeatureSpec) -> StoredFeatures:
    """Read the features of ``ids``; a sample that has no payload or was rejected is absent."""
    wanted = read_index(folder)
    position = {sample: row for row, sample in enumerate(ids)}
    pieces: dict[int, np.ndarray[Any, Any]] = {}
    for shard in shards_of(folder):
        table = pq.read_table(shard, columns=[*KEYS, "feature"])
        column = table["feature"].combine_chunks()
        values, bounds = column.values.to_numpy(), column.offsets.to_numpy()
        valid = column.is_valid().to_numpy(zero_copy_only=False)
        samples, keys = table["sample_id"].to_pylist(), table["key"].to_pylist()
        for row, (sample, key) in enumerate(zip(samples, keys, strict=True)):
            if valid[row] and sample in position and wanted.get(sample) == key:
                pieces[position[sample]] = values[bounds[row] : bounds[row + 1]]
    return assemble_features(pieces, len(ids), spec)


def assemble_features(
    pieces: Mapping[int, np.ndarray[Any, Any]], count: int, spec: FeatureSpec
) -> StoredFeatures:
    """Join flat values of some rows of ``count``; the other rows are absent."""
    present = np.zeros(count, dtype=np.bool_)
    present[list(pieces)] = True
    if not spec.is_ragged:
        dense = np.zeros((count, *spec.shape), dtype=spec.dtype)
        for row, piece in pieces.items():
            dense[row] = piece.reshape(spec.shape)
        return StoredFeatures(dense, None, present)
    step = spec.shape[1:]
    width = int(np.prod(step, dtype=np.int64))
    lengths = np.zeros(count, dtype=np.int64)
    for row, piece in pieces.items():
        lengths[row] = len(piece) // width
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    ordered = [pieces[row] for row in sorted(pieces)]
    flat = np.concatenate(ordered) if ordered else np.zeros(0, dtype=spec.dtype)
    return StoredFeatures(flat.reshape(-1, *step).astype(spec.dtype, copy=False), offsets, present)
