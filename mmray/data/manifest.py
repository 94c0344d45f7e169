"""The normalised manifest: one row per sample with its split, payload references and labels."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from mmray.core.atomic import replacing
from mmray.core.word import Split
from mmray.data.reference import Reference

Label = str | float | list[str]


@dataclass(frozen=True, slots=True)
class Manifest:
    """All samples, column by column and in the order of the rows."""

    folder: str
    """Where relative references start; a local path or a URI."""
    ids: list[str]
    splits: list[Split]
    references: dict[str, list[Reference | None]]
    """Per modality: path, URI, inline text or bytes; None where the payload is missing."""
    labels: dict[str, list[Label | None]]
    """Per task with a column: class, classes or number; None where the sample has no label."""

    def __len__(self) -> int:
        return len(self.ids)

    def rows_of(self, split: Split) -> list[int]:
        """Return the row numbers of one split."""
        return [row for row, name in enumerate(self.splits) if name == split]

    def split_sizes(self) -> dict[str, int]:
        """Return the number of samples of each split."""
        counted = Counter(self.splits)
        return {split.value: counted[split] for split in Split}


def write_manifest(manifest: Manifest, path: Path) -> None:
    """Write the manifest as one Parquet file."""
    columns: dict[str, pa.Array] = {
        "sample_id": pa.array(manifest.ids, pa.string()),
        "split": pa.array([split.value for split in manifest.splits], pa.string()),
    }
    for name, references in manifest.references.items():
        # Apart, or Arrow would turn the paths of a mixed column into bytes.
        columns[f"ref.{name}"] = pa.array([r if isinstance(r, str) else None for r in references])
        if any(isinstance(reference, bytes) for reference in references):
            inline = [r if isinstance(r, bytes) else None for r in references]
            columns[f"bytes.{name}"] = pa.array(inline)
    for task, labels in manifest.labels.items():
        columns[f"label.{task}"] = pa.array(labels)
    table = pa.table(columns).replace_schema_metadata({"folder": manifest.folder})
    with replacing(path) as temporary:
        pq.write_table(table, temporary, compression="zstd")


def read_manifest(path: Path) -> Manifest:
    """Read back what ``write_manifest`` wrote."""
    table = pq.read_table(path)
    columns = {name: table[name].to_pylist() for name in table.column_names}
    return Manifest(
        folder=(table.schema.metadata or {})[b"folder"].decode(),
        ids=columns["sample_id"],
        splits=[Split(name) for name in columns["split"]],
        references={n[4:]: _references(n[4:], columns) for n in columns if n.startswith("ref.")},
        labels={n[6:]: values for n, values in columns.items() if n.startswith("label.")},
    )


def _references(name: str, columns: dict[str, list[Any]]) -> list[Reference | None]:
    paths = columns[f"ref.{name}"]
    inline = columns.get(f"bytes.{name}")
    if inline is None:
        return paths
    return [path if data is None else data for path, data in zip(paths, inline, strict=True)]
