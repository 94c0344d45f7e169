"""Notes on how a corpus was read, without errors."""

from collections import Counter
from collections.abc import Iterable

from mmray.config.document import Config
from mmray.core.text.nearest import shortened
from mmray.data.layouts.folders import level_note
from mmray.data.manifest.reference import FileReference
from mmray.data.table.table import Chunk, RawTable


class CorpusNotes:
    """Counts files in columns that nothing uses, while the rows are read."""

    def __init__(self, table: RawTable, config: Config) -> None:
        self._table = table
        self._used = {c for modality in config.modalities.values() for c in modality.columns}
        self._unused: Counter[str] = Counter()

    def add(self, chunk: Chunk) -> None:
        """Check some rows; those of a table of text hold no files."""
        if self._table.layout == "files":
            return
        self._unused.update(
            column
            for row in chunk.rows
            for column, cell in row.items()
            if column not in self._used and isinstance(cell, FileReference)
        )

    def sentences(self, ids: Iterable[str]) -> tuple[str, ...]:
        """Return what was found, for people."""
        found = [
            f"the column {shortened(column)!r} has {count:,} files that no modality uses"
            for column, count in sorted(self._unused.items())
        ]
        level = level_note(self._table.uri, ids) if self._table.layout == "folders" else None
        return tuple(found + ([level] if level else []))
