"""The normalised manifest: one row per sample with its split, payload references and labels."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from mmray.core.arrow import pc
from mmray.core.file.atomic import replacing
from mmray.core.kind import Split
from mmray.core.label.cell import Label
from mmray.core.text.secret import masked
from mmray.data.manifest.column import Column, Gathered, whole
from mmray.data.manifest.reference import Reference

GROUP_ROWS = 16_384


@dataclass(frozen=True, slots=True)
class Manifest:
    """All samples, column by column and in the order of the rows."""

    folder: str
    """The base of relative references; a local path or a URI."""
    ids: Sequence[str]
    splits: list[Split]
    references: Mapping[str, Sequence[Reference | None]]
    """Per modality: path, URI, inline text or bytes; None where the payload is missing."""
    labels: Mapping[str, Sequence[Label | None]]
    """Per task with a column: class, classes or number; None where the sample has no label."""
    groups: Sequence[str] | None = None
    """What keeps samples together, for example a patient; None where each is a group of its own."""
    warnings: tuple[str, ...] = field(default=(), compare=False)
    """Warnings of reading, as sentences; not written."""

    def __len__(self) -> int:
        return len(self.ids)

    def rows_of(self, split: Split) -> list[int]:
        """Return the row numbers of one split."""
        return [row for row, name in enumerate(self.splits) if name == split]

    def split_sizes(self) -> dict[str, int]:
        """Return the number of samples of each split."""
        counted = Counter(self.splits)
        return {split.value: counted[split] for split in Split}


class GatheredReferences:
    """References that come some at a time and stay in Arrow: text and bytes apart."""

    def __init__(self) -> None:
        self._strings = Gathered[str | None](pa.string())
        self._inline = Gathered[bytes | None](pa.binary())
        self._has_inline = False

    def add(self, references: Sequence[Reference | None]) -> None:
        """Add references at the end."""
        inline = [r if isinstance(r, bytes) else None for r in references]
        self._strings.add([r if isinstance(r, str) else None for r in references])
        self._inline.add(inline)
        self._has_inline = self._has_inline or any(r is not None for r in inline)

    def column(self) -> Column[Reference | None]:
        """Return all of them, and keep none."""
        strings: Column[Any] = self._strings.column()
        if not self._has_inline:
            return strings
        return Column(self._inline.column().cells, instead=strings.cells)


def write_manifest(manifest: Manifest, path: Path) -> None:
    """Write the manifest as one Parquet file."""
    columns: dict[str, pa.Array] = {
        "sample_id": pa.array(manifest.ids, pa.string()),
        "split": pa.array([split.value for split in manifest.splits], pa.string()),
    }
    if manifest.groups is not None:
        columns["group"] = pa.array(manifest.groups, pa.string())
    for name, references in manifest.references.items():
        # Apart, or Arrow would turn the paths of a mixed column into bytes.
        strings, inline = _parts_of(references)
        columns[f"ref.{name}"] = strings
        if inline is not None:
            columns[f"bytes.{name}"] = inline
    for task, labels in manifest.labels.items():
        columns[f"label.{task}"] = pa.array(labels)
    table = pa.table(columns).replace_schema_metadata({"folder": manifest.folder})
    with replacing(path) as temporary:
        if _grants_access(manifest):  # signed URLs, which must stay as they are to be fetched
            temporary.touch(mode=0o600)
        pq.write_table(table, temporary, compression="zstd", row_group_size=GROUP_ROWS)


def _grants_access(manifest: Manifest) -> bool:
    """Return whether who reads this manifest has secrets of its URIs."""
    locations = [manifest.folder]
    for references in manifest.references.values():
        texts, _ = _parts_of(references)
        locations += texts.filter(pc.match_substring_regex(texts, "://.*[?@]")).to_pylist()
    return any(masked(location) != location for location in locations)


def _parts_of(references: Sequence[Reference | None]) -> tuple[pa.Array, pa.Array | None]:
    """Return text and bytes of references, each null where it is the other."""
    if not isinstance(references, Column):
        gathered = GatheredReferences()
        gathered.add(references)
        references = gathered.column()
    if references.instead is None:
        return references.cells, None
    return references.instead, references.cells


def read_manifest(path: Path) -> Manifest:
    """Read back what ``write_manifest`` wrote; ids, references and labels stay in Arrow."""
    table = _read_thriftily(path)
    splits = {split.value: split for split in Split}
    return Manifest(
        folder=(table.schema.metadata or {})[b"folder"].decode(),
        ids=Column(table["sample_id"]),
        splits=[splits[name] for name in Column[str](table["split"])],
        references={n[4:]: _references(n[4:], table) for n in _named("ref.", table)},
        labels={n[6:]: Column(table[n]) for n in _named("label.", table)},
        groups=Column(table["group"]) if "group" in table.column_names else None,
    )


def _read_thriftily(path: Path) -> pa.Table:
    """Read a table column by column: extra memory for decoding is that of one column."""
    with pq.ParquetFile(path, memory_map=True) as file:
        schema = file.schema_arrow
        columns = [whole(file.read([name], use_threads=False)[name]) for name in schema.names]
        return pa.table(columns, names=schema.names, metadata=schema.metadata)


def _named(prefix: str, table: pa.Table) -> list[str]:
    return [name for name in table.column_names if name.startswith(prefix)]


def _references(name: str, table: pa.Table) -> Column[Reference | None]:
    inline = f"bytes.{name}"
    if inline not in table.column_names:
        return Column(table[f"ref.{name}"])
    return Column(table[inline], instead=table[f"ref.{name}"])
