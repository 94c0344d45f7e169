"""Whether stored features are what they were when they were written, and what they should be."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from mmray.core.arrow import pc
from mmray.core.spec import FeatureSpec
from mmray.errors import ExtractionError
from mmray.features.store.files import TABLES, digest
from mmray.features.store.index import INDEX, read_index_table
from mmray.features.store.rows import KEYS, locate, read_rows
from mmray.features.store.shard import read_columns, shards_of

_DELETE = "delete this file and run 'mmray extract CONFIG' again: it computes what is missing"
_AGAIN = "run 'mmray extract CONFIG' again: it computes what is missing"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong."""

    path: str
    what: str
    hint: str


def verify_folder(folder: Path, marker: Mapping[str, Any], spec: FeatureSpec) -> list[Problem]:
    """Read every file of a complete feature folder, one at a time, and return what is wrong."""
    listed = marker.get("files", {})
    problems: list[Problem] = []
    for name in sorted({*listed, *(path.name for path in shards_of(folder))}):
        problems += _verify_file(folder / name, listed.get(name), spec)
    return problems or list(_verify_index(folder))


def _verify_file(path: Path, entry: Mapping[str, Any] | None, spec: FeatureSpec) -> list[Problem]:
    if not path.is_file():
        return [Problem(str(path), "is not there", _AGAIN)]
    if entry is not None and digest(path) != entry["sha256"]:
        return [Problem(str(path), "is not what was written (SHA-256 differs)", _DELETE)]
    if path.name in TABLES:
        return []
    try:
        table, _ = read_columns(path, [*KEYS, "reason", "feature"])
    except ExtractionError as error:
        return [Problem(str(path), str(error.args[0]), error.hint)]
    return [Problem(str(path), what, _DELETE) for what in find_misfits(table, spec)]


def find_misfits(table: pa.Table, spec: FeatureSpec) -> Iterator[str]:
    """Yield what in the rows of one shard does not fit the spec."""
    dtype = pa.from_numpy_dtype(np.dtype(spec.dtype))
    if table["feature"].type not in (pa.list_(dtype), pa.large_list(dtype)):
        yield f"features are {table['feature'].type}, not lists of {dtype}"
        return
    column = table["feature"].combine_chunks()
    is_there = np.asarray(column.is_valid())
    if (is_there != np.asarray(pc.equal(table["reason"], ""))).any():
        yield "a sample has neither a feature nor a reason, or both"
    sizes = np.asarray(column.drop_null().value_lengths())
    width = int(np.prod(spec.shape[1:], dtype=np.int64))
    steps, rest = np.divmod(sizes, width)
    least = 1 if spec.is_ragged else spec.shape[0]
    misfits = (rest != 0) | (steps < least) | (steps > spec.shape[0])
    if misfits.any():
        yield f"a feature of {sizes[misfits][0]} values does not fit {spec.describe()}"
    values = np.asarray(column.flatten())
    if spec.dtype == "float32" and not np.isfinite(values).all():
        yield "a value is infinite or not a number"
    if spec.layout == "tokens" and len(values) and not _are_tokens(values, spec.vocabulary):
        yield f"a token id is not below {spec.vocabulary}"


def _are_tokens(values: "np.ndarray[Any, Any]", vocabulary: int) -> bool:
    return bool(values.min() >= 0 and values.max() < vocabulary)


def _verify_index(folder: Path) -> Iterator[Problem]:
    """Every sample of the index is in a shard."""
    index = read_index_table(folder)
    is_lacking = locate(index, read_rows(folder, KEYS).table) < 0
    lacking = index.filter(pa.array(is_lacking | ~np.asarray(index["shard"].is_valid())))
    if len(lacking):
        first = lacking["sample_id"][0].as_py()
        what = f"{len(lacking)} samples of the index are in no shard, e.g. {first}"
        yield Problem(str(folder / INDEX), what, _AGAIN)
