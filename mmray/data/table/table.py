"""A corpus as a table of rows, however it lies there: manifests, folders, shards, data sets."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from mmray.config.data import DataConfig, Layout
from mmray.core.fingerprint import digest_lines
from mmray.data.layouts.files import SUFFIXES, digest_files, manifest_names, read_files
from mmray.data.layouts.folders import digest_folders, read_folders
from mmray.data.layouts.header import check_columns
from mmray.data.layouts.huggingface import MARKERS, digest_huggingface, read_huggingface
from mmray.data.layouts.limits import MAX_CELLS, MAX_COLUMNS
from mmray.data.layouts.webdataset import digest_webdataset, read_webdataset, shard_names
from mmray.data.manifest.column import AT_ONCE
from mmray.data.sources.open import open_source
from mmray.data.sources.source import Row, Source
from mmray.errors import ManifestError

_READERS: Mapping[Layout, Callable[[Source], Iterator[Row]]] = {
    "files": read_files,
    "folders": read_folders,
    "webdataset": read_webdataset,
    "huggingface": read_huggingface,
}
_DIGESTS: Mapping[Layout, Callable[[Source], Iterator[str]]] = {
    "files": digest_files,
    "folders": digest_folders,
    "webdataset": digest_webdataset,
    "huggingface": digest_huggingface,
}


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some rows as they were written, each with the place to name in an error."""

    rows: list[Mapping[str, Any]]
    locations: list[str]
    """For example ``manifest.jsonl:12``."""


class RawTable:
    """Rows as they were written. They are read as they are asked for, and only once."""

    def __init__(
        self, uri: str, folder: str, rows: Iterable[Row], layout: Layout = "files"
    ) -> None:
        self.uri = uri
        self.layout: Layout = layout
        self.folder = folder
        """The base of relative references."""
        self._rows = iter(rows)
        self._columns: dict[str, None] = {}

    def chunks(self, size: int = AT_ONCE) -> Iterator[Chunk]:
        """Yield the rows some at a time; that there are none, or a broken one, is a ManifestError.

        In memory they are large: they are not to be kept.
        """
        is_empty = True
        while found := self._next_rows(size):
            is_empty = False
            locations, rows = zip(*found, strict=True)
            yield Chunk(list(rows), list(locations))
        if is_empty:
            raise ManifestError(
                "the manifest has no samples", where=self.uri, hint="add a row per sample"
            )

    def _next_rows(self, size: int) -> list[Row]:
        """Return up to ``size`` rows, fewer where they are wide."""
        found: list[Row] = []
        cells = 0
        for location, row in islice(self._rows, size):
            found.append((location, row))
            self._columns.update(dict.fromkeys(row))
            cells += len(row)
            if cells >= MAX_CELLS:
                break
        if len(self._columns) > MAX_COLUMNS:
            check_columns(self.columns(), self.uri)
        return found

    def columns(self) -> list[str]:
        """Return every column that any row so far has, in order of first appearance."""
        return list(self._columns)


def open_table(uri: str, *, layout: Layout = "auto", allow: Sequence[str] = ()) -> RawTable:
    """Return the rows to be read; a source that is not there, empty or mixed is a ManifestError."""
    source = open_source(uri, allow)
    found = _layout_of(source, layout)
    return RawTable(uri, source.folder, _READERS[found](source), found)


def digest_table(uri: str, *, layout: Layout = "auto", allow: Sequence[str] = ()) -> str:
    """Return a digest of what the rows follow from, which is the same where all of it is moved.

    Manifests are read for it; of shards and data sets it takes size and date, or the ETag.
    """
    source = open_source(uri, allow)
    return digest_lines(_DIGESTS[_layout_of(source, layout)](source))


def open_corpus(config: DataConfig) -> RawTable:
    """Return the rows of what the document names."""
    return open_table(config.manifest, layout=config.layout, allow=config.allow)


def corpus_folder(config: DataConfig) -> str:
    """Return where relative references of what the document names start now."""
    return open_source(config.manifest, config.allow).folder


def digest_corpus(config: DataConfig) -> str:
    """Return a digest of what the document names."""
    return digest_table(config.manifest, layout=config.layout, allow=config.allow)


def _layout_of(source: Source, layout: Layout) -> Layout:
    """Return the layout of the rows; an empty or ambiguous one is an error."""
    found: list[Layout] = _layouts_in(source) if source.is_folder else [_layout_of_file(source)]
    if layout != "auto":
        found = [layout] if layout in found else []
    if len(found) == 1:
        return found[0]
    if found:
        raise ManifestError(
            f"this folder can be read in several ways: {', '.join(found)}",
            where=source.uri,
            hint=f"choose one, as in 'data.layout: {found[0]}', or part them",
        )
    raise ManifestError(
        "there is nothing to read" if layout == "auto" else f"nothing here is laid out as {layout}",
        where=source.uri,
        hint=f"it needs manifests ({', '.join(SUFFIXES)}), .tar shards, a folder per class, or "
        "what save_to_disk of Hugging Face datasets wrote",
    )


def _layouts_in(source: Source) -> list[Layout]:
    names = source.names()
    if any(marker in names for marker in MARKERS):
        return ["huggingface"]
    found: list[Layout] = []
    if manifest_names(source):
        found.append("files")
    if shard_names(source):
        found.append("webdataset")
    # Beside manifests, folders hold the payloads that these name.
    if "files" not in found and source.folders():
        found.append("folders")
    return found


def _layout_of_file(source: Source) -> Layout:
    return "webdataset" if shard_names(source) else "files"
