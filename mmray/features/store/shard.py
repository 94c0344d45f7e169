"""One shard: a Parquet file of some samples' features that says itself what it holds."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mmray.core.file.atomic import replacing
from mmray.core.fingerprint import digest_lines
from mmray.core.spec import FeatureSpec
from mmray.errors import ExtractionError
from mmray.features.extractor import ExtractedBatch
from mmray.features.store.statistics import measure

PATTERN = "shard-*.parquet"
PREFIX = "mmray."
"""Prefix of mmray's keys in the schema metadata."""
_SEEN: set[tuple[str, int, int, int, str]] = set()
"""Files that this process has compared with their SHA-256: splits share the shards."""
ENCODINGS: Mapping[str, Any] = {
    "use_dictionary": ["reason", "detail", "tally"],  # what repeats
    # The first bytes of all values, then the second ones: alike ones side by side. Pixels take a
    # third less room, MFCC an eighth, and less time.
    "use_byte_stream_split": ["feature.list.element"],
}


def write_shard(
    folder: Path,
    ids: Sequence[str],
    keys: Sequence[str],
    batch: ExtractedBatch,
    spec: FeatureSpec,
    *,
    made: Mapping[str, Any] | None = None,
) -> Path:
    """Write one shard atomically; the same samples give the same name.

    ``made`` is its provenance: ``limits`` are the settings of the corpus under which payloads were
    rejected, ``libraries`` the versions of what computed the features.
    """
    column = _feature_column(batch, spec)
    lengths = [0 if feature is None else len(feature) for feature in batch.features]
    tallies = [json.dumps(tally, sort_keys=True) if tally else None for tally in batch.tallies]
    table = pa.table(
        {
            "sample_id": pa.array(ids, pa.string()),
            "key": pa.array(keys, pa.string()),
            "reason": pa.array(batch.reasons, pa.string()),
            "detail": pa.array(batch.details, pa.string()),
            "tally": pa.array(tallies or [None] * len(ids), pa.string()),
            "content": pa.array(batch.contents or [None] * len(ids), pa.string()),
            "length": pa.array(lengths, pa.int32()),
            "feature": column,
        }
    )
    about = {
        "version": version("mmray"),
        "fingerprint": folder.name,
        "spec": spec.to_dict(),
        "statistics": asdict(measure(column, spec)),
        **(made or {}),
    }
    metadata = {PREFIX + key: json.dumps(value, sort_keys=True) for key, value in about.items()}
    name = digest_lines(f"{i} {k}" for i, k in zip(ids, keys, strict=True))
    path = folder / f"shard-{name}.parquet"
    with replacing(path) as temporary:
        table = table.replace_schema_metadata(metadata)
        pq.write_table(table, temporary, compression="zstd", **ENCODINGS)
    return path


def _feature_column(batch: ExtractedBatch, spec: FeatureSpec) -> pa.Array:
    dtype = pa.from_numpy_dtype(np.dtype(spec.dtype))
    # The clips of a shard can have more values than a 32-bit offset reaches.
    list_of = pa.large_list if spec.layout == "frames" else pa.list_
    flat = [None if feature is None else feature.ravel() for feature in batch.features]
    return pa.array(flat, list_of(dtype))


def shards_of(folder: Path) -> list[Path]:
    """Return the complete shards, oldest first, so that a newer version of a sample wins."""
    return sorted(folder.glob(PATTERN), key=lambda path: (path.stat().st_mtime_ns, path))


def read_columns(
    path: Path, columns: Sequence[str], *, sha256: str | None = None
) -> tuple[pa.Table, dict[str, Any]]:
    """Return some columns of one file, nulls for absent ones, and its metadata.

    A file that cannot be read, or differs from ``sha256``, is an ExtractionError.
    """
    try:
        if path.exists() and not path.is_file():  # a pipe would be waited for
            raise OSError("it is not a regular file")
        with pa.memory_map(str(path)) as source:
            content = source.read_buffer()  # no copy
            if sha256 is not None and not _is_sealed(path, content, sha256):
                raise _broken(path, "is not what was written (SHA-256 differs)")
            with pq.ParquetFile(pa.BufferReader(content)) as file:
                schema = file.schema_arrow
                table = file.read([name for name in columns if name in schema.names])
    except FileNotFoundError:
        raise ExtractionError(
            "a file of the stored features is not there",
            where=str(path),
            hint="run 'mmray extract CONFIG' again: it computes what is missing",
        ) from None
    except (OSError, pa.ArrowException) as error:
        raise _broken(path, f"cannot be read: {error}") from None
    for name in columns:
        if name not in table.column_names:
            table = table.append_column(name, pa.nulls(len(table), pa.string()))
    return table.select(list(columns)), about_of(schema)


def _is_sealed(path: Path, content: pa.Buffer, sha256: str) -> bool:
    """Return whether a file is unchanged; one that was read before is not hashed again."""
    status = path.stat()
    seen = (str(path), status.st_size, status.st_mtime_ns, status.st_ctime_ns, sha256)
    if seen not in _SEEN and hashlib.sha256(content).hexdigest() == sha256:
        _SEEN.add(seen)
    return seen in _SEEN


def _broken(path: Path, what: str) -> ExtractionError:
    return ExtractionError(
        f"a file of the stored features {what}",
        where=str(path),
        hint="delete this file and run 'mmray extract CONFIG' again: it computes what is missing",
    )


def about_of(schema: pa.Schema) -> dict[str, Any]:
    """Return what the metadata of a shard's schema says; empty for one that says nothing."""
    metadata: dict[bytes, bytes] = schema.metadata or {}
    return {
        key.decode().removeprefix(PREFIX): json.loads(value)
        for key, value in metadata.items()
        if key.startswith(PREFIX.encode())
    }
