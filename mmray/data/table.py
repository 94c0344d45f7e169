"""Manifests as people bring them: .jsonl, .csv, .parquet; a file or a folder, local or remote."""

import csv
import hashlib
import io
import json
import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import fsspec
import pyarrow.lib
import pyarrow.parquet as pq
from fsspec.core import url_to_fs

from mmray.core.fingerprint import digest_lines
from mmray.errors import ManifestError

SUFFIXES = (".jsonl", ".csv", ".parquet")


@dataclass(frozen=True, slots=True)
class RawTable:
    """Rows as they were written, each with the place to name in an error."""

    uri: str
    folder: str
    """Where relative references start."""
    rows: list[Mapping[str, Any]]
    places: list[str]
    """For example ``manifest.jsonl:12``."""

    def columns(self) -> list[str]:
        """Return every column that any row has, in order of first appearance."""
        return list(dict.fromkeys(key for row in self.rows for key in row))


def read_table(uri: str) -> RawTable:
    """Read a manifest; a file that is not there, empty or broken is a ManifestError."""
    filesystem, path, files = _find(uri)
    is_folder = files != [path]
    rows: list[Mapping[str, Any]] = []
    places: list[str] = []
    for file in files:
        for number, row in _read_rows(file, _read_bytes(filesystem, file)):
            rows.append(row)
            places.append(f"{file}:{number}" if _is_remote(uri) else f"{_short(file)}:{number}")
    if not rows:
        raise ManifestError("the manifest has no samples", where=uri, hint="add a row per sample")
    folder = path if is_folder else posixpath.dirname(path)
    return RawTable(uri=uri, folder=_folder_uri(uri, folder), rows=rows, places=places)


def digest_table(uri: str) -> str:
    """Return a digest of the manifest's bytes, and of where it lies."""
    filesystem, _, files = _find(uri)
    contents = {file: _read_bytes(filesystem, file) for file in files}
    return digest_lines(
        f"{file} {hashlib.sha256(content).hexdigest()}" for file, content in contents.items()
    )


def _find(uri: str) -> tuple[fsspec.AbstractFileSystem, str, list[str]]:
    try:
        filesystem, path = url_to_fs(uri)
        exists = filesystem.exists(path)
    except (ValueError, ImportError, OSError) as error:
        raise ManifestError(f"cannot reach the manifest {uri!r}: {error}") from None
    if not exists:
        raise ManifestError(
            f"there is no manifest {uri!r}",
            hint="relative paths start in the folder where you call mmray; see 'data.manifest'",
        )
    return filesystem, path, _files_in(filesystem, path, uri) if filesystem.isdir(path) else [path]


def _files_in(filesystem: fsspec.AbstractFileSystem, path: str, uri: str) -> list[str]:
    listed = [
        str(entry["name"]) for entry in filesystem.ls(path, detail=True) if entry["type"] == "file"
    ]
    files = sorted(name for name in listed if name.lower().endswith(SUFFIXES))
    if not files:
        raise ManifestError(
            "no manifest in this folder", where=uri, hint=f"it needs one of {', '.join(SUFFIXES)}"
        )
    return files


def _read_bytes(filesystem: fsspec.AbstractFileSystem, file: str) -> bytes:
    try:
        return cast("bytes", filesystem.cat_file(file))
    except OSError as error:
        raise ManifestError(f"cannot read the manifest: {error}", where=_short(file)) from None


def _read_rows(file: str, content: bytes) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield (number, row): the line in a text file, the row from 1 in Parquet."""
    match posixpath.splitext(file)[1].lower():
        case ".jsonl":
            yield from _read_jsonl(file, content)
        case ".csv":
            yield from _read_csv(file, content)
        case ".parquet":
            yield from _read_parquet(file, content)
        case suffix:
            raise ManifestError(
                f"unknown kind of manifest {suffix!r}",
                where=file,
                hint=f"use one of {', '.join(SUFFIXES)}",
            )


def _read_jsonl(file: str, content: bytes) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for number, line in enumerate(content.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            reason = getattr(error, "msg", None) or "not UTF-8"
            raise ManifestError(
                f"this line is not JSON: {reason}",
                where=f"{_short(file)}:{number}",
                hint='each line must be one object, such as {"photo": "a.jpg"}',
            ) from None
        if not isinstance(row, dict):
            raise ManifestError(
                "this line is not an object",
                where=f"{_short(file)}:{number}",
                hint='each line must be one object, such as {"photo": "a.jpg"}',
            )
        if b"\\ud" in line.lower():  # half of a surrogate pair is JSON, but no text
            row = {key: _mend(value) for key, value in row.items()}
        yield number, row


def _mend(value: object) -> object:
    return value.encode(errors="replace").decode() if isinstance(value, str) else value


def _read_csv(file: str, content: bytes) -> Iterator[tuple[int, Mapping[str, Any]]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ManifestError(
            "this line is not UTF-8", where=f"{_short(file)}:{line}", hint="save the file as UTF-8"
        ) from None
    lines = csv.reader(io.StringIO(text), strict=True)
    try:
        header = next(lines, [])
        _check_header(file, header)
        for cells in lines:
            if not cells:
                continue
            if len(cells) != len(header):
                raise ManifestError(
                    f"this row has {len(cells)} cells, the header {len(header)}",
                    where=f"{_short(file)}:{lines.line_num}",
                    hint="quote cells that hold commas",
                )
            yield lines.line_num, dict(zip(header, cells, strict=True))
    except csv.Error as error:
        raise ManifestError(
            f"broken CSV: {error}", where=f"{_short(file)}:{lines.line_num}"
        ) from None


def _check_header(file: str, header: list[str]) -> None:
    twice = [name for name in header if header.count(name) > 1]
    if twice:
        raise ManifestError(
            f"the column {twice[0]!r} is there twice", where=_short(file), hint="rename one"
        )


def _read_parquet(file: str, content: bytes) -> Iterator[tuple[int, Mapping[str, Any]]]:
    try:
        rows = pq.read_table(io.BytesIO(content)).to_pylist()
    except (pyarrow.lib.ArrowException, OSError) as error:
        raise ManifestError(f"not a Parquet file: {error}", where=_short(file)) from None
    except (ValueError, OverflowError) as error:
        raise ManifestError(
            f"a cell of this table cannot be read: {error}",
            where=_short(file),
            hint="dates must lie in the years 1 to 9999",
        ) from None
    yield from enumerate(rows, start=1)


def _is_remote(uri: str) -> bool:
    return "://" in uri and not uri.startswith("file://")


def _folder_uri(uri: str, folder: str) -> str:
    if not _is_remote(uri):
        return str(Path(folder).resolve())
    return f"{uri.split('://', 1)[0]}://{folder}"


def _short(file: str) -> str:
    """Return a local path relative to the current folder where it lies below it."""
    path = Path(file)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else file
