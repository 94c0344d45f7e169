"""Manifests as files: .jsonl, .csv, .tsv and .parquet, a row per sample."""

import hashlib
import posixpath
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, cast

from mmray.data.layouts.delimited import read_delimited
from mmray.data.layouts.json_lines import read_json_lines
from mmray.data.layouts.parquet import read_parquet
from mmray.data.sources.source import Row, Source
from mmray.errors import ManifestError

SUFFIXES = (".jsonl", ".csv", ".tsv", ".parquet")


def read_files(source: Source) -> Iterator[Row]:
    """Yield the rows of every manifest, in the order of the files' names."""
    for name in manifest_names(source):
        location = source.location(name)
        with source.stream(name) as stream:
            for number, row in _rows_of(location, stream, name):
                yield f"{location}:{number}", row


def digest_files(source: Source) -> Iterator[str]:
    """Yield what the rows follow from: the files by name, and their content."""
    for name in manifest_names(source):
        with source.stream(name) as stream:
            digest = hashlib.file_digest(cast("Any", stream), "sha256")
        yield f"{name} {digest.hexdigest()}"


def manifest_names(source: Source) -> list[str]:
    """Return the manifests in a folder, or the one file."""
    if not source.is_folder:
        return source.names()
    return [name for name in source.names() if name.lower().endswith(SUFFIXES)]


def _rows_of(location: str, stream: BinaryIO, name: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield (number, row): the line in a text file, the row from 1 in Parquet."""
    match posixpath.splitext(name)[1].lower():
        case ".jsonl":
            yield from read_json_lines(location, stream)
        case ".csv" | ".tsv":
            yield from read_delimited(location, stream)
        case ".parquet":
            yield from read_parquet(location, stream)
        case suffix:
            raise ManifestError(
                f"unknown kind of manifest {suffix!r}",
                where=location,
                hint=f"use one of {', '.join(SUFFIXES)}, a .tar or a folder; see 'data.layout'",
            )
