"""Manifests as files: .jsonl, .csv and .parquet, a row per sample."""

import csv
import hashlib
import io
import json
import posixpath
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any, BinaryIO, cast

import pyarrow.lib
import pyarrow.parquet as pq

from mmray.data.column import AT_ONCE
from mmray.data.source import Row, Source
from mmray.errors import ManifestError

SUFFIXES = (".jsonl", ".csv", ".parquet")


def read_files(source: Source) -> Iterator[Row]:
    """Yield the rows of every manifest, in the order of the files' names."""
    for name in manifest_names(source):
        place = source.place(name)
        with source.stream(name) as stream:
            for number, row in _rows_of(place, stream, name):
                yield f"{place}:{number}", row


def digest_files(source: Source) -> Iterator[str]:
    """Yield what the rows follow from: where the files lie, and their content."""
    for name in manifest_names(source):
        with source.stream(name) as stream:
            digest = hashlib.file_digest(cast("Any", stream), "sha256")
        yield f"{source.folder}/{name} {digest.hexdigest()}"


def manifest_names(source: Source) -> list[str]:
    """Return the manifests in a folder, or the one file."""
    if not source.is_folder:
        return source.names()
    return [name for name in source.names() if name.lower().endswith(SUFFIXES)]


def _rows_of(place: str, stream: BinaryIO, name: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield (number, row): the line in a text file, the row from 1 in Parquet."""
    match posixpath.splitext(name)[1].lower():
        case ".jsonl":
            yield from _read_jsonl(place, stream)
        case ".csv":
            yield from _read_csv(place, stream)
        case ".parquet":
            yield from _read_parquet(place, stream)
        case suffix:
            raise ManifestError(
                f"unknown kind of manifest {suffix!r}",
                where=place,
                hint=f"use one of {', '.join(SUFFIXES)}, a .tar or a folder; see 'data.layout'",
            )


def _read_jsonl(file: str, stream: BinaryIO) -> Iterator[tuple[int, Mapping[str, Any]]]:
    lines = chain.from_iterable(map(bytes.splitlines, stream))  # some end lines with \r alone
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            reason = getattr(error, "msg", None) or "not UTF-8"
            raise ManifestError(
                f"this line is not JSON: {reason}",
                where=f"{file}:{number}",
                hint='each line must be one object, such as {"photo": "a.jpg"}',
            ) from None
        if not isinstance(row, dict):
            raise ManifestError(
                "this line is not an object",
                where=f"{file}:{number}",
                hint='each line must be one object, such as {"photo": "a.jpg"}',
            )
        if b"\\ud" in line.lower():  # half of a surrogate pair is JSON, but no text
            row = {key: _mend(value) for key, value in row.items()}
        yield number, row


def _mend(value: object) -> object:
    return value.encode(errors="replace").decode() if isinstance(value, str) else value


def _read_csv(file: str, stream: BinaryIO) -> Iterator[tuple[int, Mapping[str, Any]]]:
    lines = csv.reader(io.TextIOWrapper(stream, "utf-8-sig", newline=""), strict=True)
    try:
        header = next(lines, [])
        _check_header(file, header)
        for cells in lines:
            if not cells:
                continue
            if len(cells) != len(header):
                raise ManifestError(
                    f"this row has {len(cells)} cells, the header {len(header)}",
                    where=f"{file}:{lines.line_num}",
                    hint="quote cells that hold commas",
                )
            yield lines.line_num, dict(zip(header, cells, strict=True))
    except csv.Error as error:
        raise ManifestError(f"broken CSV: {error}", where=f"{file}:{lines.line_num}") from None
    except UnicodeDecodeError:
        stream.seek(0)
        line = next(n for n, line in enumerate(stream, start=1) if not _is_utf8(line))
        raise ManifestError(
            "this line is not UTF-8", where=f"{file}:{line}", hint="save the file as UTF-8"
        ) from None


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _check_header(file: str, header: list[str]) -> None:
    twice = [name for name in header if header.count(name) > 1]
    if twice:
        raise ManifestError(
            f"the column {twice[0]!r} is there twice", where=file, hint="rename one"
        )


def _read_parquet(file: str, stream: BinaryIO) -> Iterator[tuple[int, Mapping[str, Any]]]:
    try:
        with pq.ParquetFile(stream) as table:
            batches = table.iter_batches(batch_size=AT_ONCE)
            rows = chain.from_iterable(batch.to_pylist() for batch in batches)
            yield from enumerate(rows, start=1)
    except (pyarrow.lib.ArrowException, OSError) as error:
        raise ManifestError(f"not a Parquet file: {error}", where=file) from None
    except (ValueError, OverflowError) as error:
        raise ManifestError(
            f"a cell of this table cannot be read: {error}",
            where=file,
            hint="dates must lie in the years 1 to 9999",
        ) from None
