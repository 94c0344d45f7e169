"""Features as arrays, ready to train on. Axes: N samples."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mmray.core.spec import FeatureSpec
from mmray.errors import ExtractionError
from mmray.features.store.arrow import pc
from mmray.features.store.rows import StoredRows, read_current
from mmray.features.store.shard import read_columns

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class StoredFeatures:
    """One modality's features for N wanted samples, in their order."""

    values: Array
    """Dense ``(N, *shape)`` with zeros where absent; ragged: all values along the first axis."""
    offsets: Array | None
    """Ragged only: ``(N + 1)`` bounds along the first axis of ``values``."""
    present: Array
    """``(N)`` bool."""


def read_features(folder: Path, ids: Sequence[str], spec: FeatureSpec) -> StoredFeatures:
    """Read the features of ``ids``; a sample that has no payload or was rejected is absent.

    Every value is copied once, from its shard to its place, and one shard is held at a time.
    """
    stored = read_current(folder, ("reason", "length"))
    table = stored.table.filter(pc.equal(stored.table["reason"], ""))
    wanted = pa.array(ids, pa.string())
    place = pc.index_in(wanted, value_set=table["sample_id"].combine_chunks())
    targets = np.flatnonzero(np.asarray(place.is_valid()))
    table = table.take(place.drop_null())
    shard, rows = table["shard"].to_numpy(), table["row"].to_numpy()
    lengths = np.zeros(len(ids), dtype=np.int64)
    if spec.is_ragged:
        lengths[targets] = _lengths(stored, table, spec)
    present = np.zeros(len(ids), dtype=np.bool_)
    present[targets] = True
    result = _allocate(lengths, present, spec)
    order = np.argsort(shard, kind="stable")
    bounds = np.searchsorted(shard[order], np.arange(len(stored.shards) + 1))
    for number, path in enumerate(stored.shards):
        chosen = order[bounds[number] : bounds[number + 1]]
        if len(chosen):
            _copy(path, rows[chosen], targets[chosen], result, spec)
    return result


def _allocate(lengths: Array, present: Array, spec: FeatureSpec) -> StoredFeatures:
    if not spec.is_ragged:
        return StoredFeatures(np.zeros((len(present), *spec.shape), spec.dtype), None, present)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    values = np.zeros((int(offsets[-1]), *spec.shape[1:]), spec.dtype)
    return StoredFeatures(values, offsets, present)


def _lengths(stored: StoredRows, table: pa.Table, spec: FeatureSpec) -> Array:
    """Return the length of each row; shards of an earlier layout are asked for their features."""
    if not table["length"].null_count:
        return table["length"].to_numpy()
    shard, rows = table["shard"].to_numpy(), table["row"].to_numpy()
    lengths = np.zeros(len(table), dtype=np.int64)
    for number, path in enumerate(stored.shards):
        chosen = shard == number
        if chosen.any():
            column = _feature_column(path).take(pa.array(rows[chosen]))
            lengths[chosen] = column.value_lengths().to_numpy() // _width(spec)
    return lengths


def _copy(
    path: Path, rows: Array, targets: Array, result: StoredFeatures, spec: FeatureSpec
) -> None:
    """Copy the features in ``rows`` of one shard to the samples ``targets`` of the result."""
    column = _feature_column(path)
    values, bounds = column.values.to_numpy(), column.offsets.to_numpy()
    starts, sizes = bounds[rows], bounds[rows + 1] - bounds[rows]
    width = _width(spec)
    full = width if spec.is_ragged else width * spec.shape[0]
    wrong = sizes % full != 0 if spec.is_ragged else sizes != full
    if result.offsets is not None:
        wrong |= sizes // width != np.diff(result.offsets)[targets]
    if wrong.any():
        raise ExtractionError(
            f"a feature of {sizes[wrong][0]} values does not fit {spec.describe()}",
            where=str(path),
            hint="run 'mmray features verify CONFIG'",
        )
    if result.offsets is None:
        pieces = (
            values[starts[:, None] + np.arange(full)]
            if _is_scattered(starts, full)
            else (values[starts[0] : starts[0] + full * len(starts)])
        )
        result.values[targets] = pieces.reshape(-1, *spec.shape)
        return
    steps = values[: len(values) // width * width].reshape(-1, *spec.shape[1:])
    lengths = sizes // width
    within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    source = np.repeat(starts // width, lengths) + within
    target = np.repeat(result.offsets[targets], lengths) + within
    result.values[target] = steps[source]


def _is_scattered(starts: Array, size: int) -> bool:
    return bool((np.diff(starts) != size).any())


def _feature_column(path: Path) -> pa.Array:
    return read_columns(path, ["feature"])[0]["feature"].combine_chunks()


def _width(spec: FeatureSpec) -> int:
    return int(np.prod(spec.shape[1:], dtype=np.int64))


def assemble_features(pieces: Mapping[int, Array], count: int, spec: FeatureSpec) -> StoredFeatures:
    """Join flat values of some rows of ``count``; the other rows are absent."""
    present = np.zeros(count, dtype=np.bool_)
    present[list(pieces)] = True
    lengths = np.zeros(count, dtype=np.int64)
    for row, piece in pieces.items():
        lengths[row] = len(piece) // _width(spec)
    result = _allocate(lengths, present, spec)
    for row, piece in pieces.items():
        if result.offsets is None:
            result.values[row] = piece.reshape(spec.shape)
        else:
            bounds = slice(result.offsets[row], result.offsets[row + 1])
            result.values[bounds] = piece.reshape(-1, *spec.shape[1:])
    return result
