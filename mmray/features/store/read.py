"""Features as arrays, ready to train on. Axes: N samples."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mmray.core.arrow import pc
from mmray.core.file.atomic import replacing
from mmray.core.spec import FeatureSpec
from mmray.errors import ExtractionError
from mmray.features.store.files import seals_of
from mmray.features.store.index import INDEX, read_index_table
from mmray.features.store.shard import read_columns
from mmray.features.store.spill import open_on_disk, release, zeros_on_disk

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


@dataclass(frozen=True, slots=True)
class _Locations:
    """The locations of the wanted samples' features, as far as they exist."""

    targets: Array
    """Which of the wanted samples each is."""
    index: pa.Table
    seals: Mapping[str, str]
    """SHA-256 of each file, where there is a completion marker."""


def read_features(
    folder: Path, ids: Sequence[str], spec: FeatureSpec, *, spill: Path | None = None
) -> StoredFeatures:
    """Read the features of ``ids``; a sample that has no payload or was rejected is absent.

    The index says where each is, so every value is copied once, from its shard to its place, and
    one shard is held at a time. A file that is not what the completion marker lists is an
    ExtractionError. With ``spill`` the values are not in memory but in that file; an existing one
    is used as it is.
    """
    locations = _find(folder, ids)
    lengths = np.zeros(len(ids), dtype=np.int64)
    if spec.is_ragged:
        lengths[locations.targets] = _lengths(folder, locations.index, spec)
    present = np.zeros(len(ids), dtype=np.bool_)
    present[locations.targets] = True
    offsets = np.concatenate([[0], np.cumsum(lengths)]) if spec.is_ragged else None
    shape = (len(ids), *spec.shape) if offsets is None else (int(offsets[-1]), *spec.shape[1:])
    if spill is None or 0 in shape:  # a file of nothing cannot be mapped
        result = StoredFeatures(np.zeros(shape, spec.dtype), offsets, present)
        _copy_all(folder, locations, result, spec)
        return result
    if not spill.is_file():
        with replacing(spill) as temporary:
            values = zeros_on_disk(temporary, shape, spec.dtype)
            _copy_all(folder, locations, StoredFeatures(values, offsets, present), spec)
    return StoredFeatures(open_on_disk(spill), offsets, present)


def measure_features(
    folder: Path, ids: Sequence[str], spec: FeatureSpec
) -> tuple[npt.NDArray[np.bool_], int]:
    """Return which of ``ids`` have features, and the bytes that ``read_features`` would take."""
    locations = _find(folder, ids)
    present = np.zeros(len(ids), dtype=np.bool_)
    present[locations.targets] = True
    steps = len(ids) * spec.shape[0]
    if spec.is_ragged:
        steps = int(np.sum(_lengths(folder, locations.index, spec)))
    return present, steps * _width(spec) * np.dtype(spec.dtype).itemsize


def _find(folder: Path, ids: Sequence[str]) -> _Locations:
    seals = seals_of(folder)
    index = read_index_table(folder, sha256=seals.get(INDEX))
    index = index.filter(pc.equal(index["reason"], ""))
    found = pc.index_in(pa.array(ids, pa.string()), value_set=index["sample_id"].combine_chunks())
    targets = np.flatnonzero(np.asarray(found.is_valid()))
    return _Locations(targets, index.take(found.drop_null()), seals)


def _copy_all(
    folder: Path, locations: _Locations, result: StoredFeatures, spec: FeatureSpec
) -> None:
    shards = locations.index["shard"].combine_chunks().dictionary_encode()
    names, shard = shards.dictionary.to_pylist(), np.asarray(shards.indices)
    rows = np.asarray(locations.index["row"])
    order = np.argsort(shard, kind="stable")
    bounds = np.searchsorted(shard[order], np.arange(len(names) + 1))
    for number, name in enumerate(names):
        chosen = order[bounds[number] : bounds[number + 1]]
        shard_features = _whole_features(folder / name, spec, locations.seals.get(name))
        _copy(shard_features, rows[chosen], locations.targets[chosen], result, spec)
        release(result.values)


def _allocate(lengths: Array, present: Array, spec: FeatureSpec) -> StoredFeatures:
    if not spec.is_ragged:
        return StoredFeatures(np.zeros((len(present), *spec.shape), spec.dtype), None, present)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    values = np.zeros((int(offsets[-1]), *spec.shape[1:]), spec.dtype)
    return StoredFeatures(values, offsets, present)


def _lengths(folder: Path, index: pa.Table, spec: FeatureSpec) -> Array:
    """Return the length of each row; shards of an earlier layout are asked for their features."""
    if not index["length"].null_count:
        return np.asarray(index["length"])
    shard, rows = np.asarray(index["shard"]), np.asarray(index["row"])
    lengths = np.zeros(len(index), dtype=np.int64)
    for name in np.unique(shard):
        chosen = shard == name
        column = _feature_column(folder / name).take(pa.array(rows[chosen]))
        lengths[chosen] = np.asarray(column.value_lengths()) // _width(spec)
    return lengths


def _copy(
    shard: tuple[Array, Array],
    rows: Array,
    targets: Array,
    result: StoredFeatures,
    spec: FeatureSpec,
) -> None:
    """Copy the features in ``rows`` of one shard to the samples ``targets`` of the result."""
    values, bounds = shard
    starts, sizes = bounds[rows], bounds[rows + 1] - bounds[rows]
    width = _width(spec)
    if result.offsets is None:
        result.values[targets] = values.reshape(-1, *spec.shape)[starts // (width * spec.shape[0])]
        return
    steps = values.reshape(-1, *spec.shape[1:])
    lengths = sizes // width
    within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    source = np.repeat(starts // width, lengths) + within
    target = np.repeat(result.offsets[targets], lengths) + within
    result.values[target] = steps[source]


def _whole_features(path: Path, spec: FeatureSpec, sha256: str | None) -> tuple[Array, Array]:
    """Return values and bounds of all features of a shard; a misfit is an ExtractionError."""
    column = _feature_column(path, sha256)
    values, bounds = column.values.to_numpy(), column.offsets.to_numpy()
    sizes = np.diff(bounds)
    steps, rest = np.divmod(sizes, _width(spec))
    fits = (rest == 0) & (steps <= spec.shape[0])
    if not spec.is_ragged:
        fits &= (steps == spec.shape[0]) | (sizes == 0)
    if not fits.all():
        raise ExtractionError(
            f"a feature of {sizes[~fits][0]} values does not fit {spec.describe()}",
            where=str(path),
            hint="run 'mmray features verify CONFIG'",
        )
    return values, bounds


def _feature_column(path: Path, sha256: str | None = None) -> pa.Array:
    return read_columns(path, ["feature"], sha256=sha256)[0]["feature"].combine_chunks()


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
