"""How much larger a table is in memory than in its file."""

import pyarrow as pa

from mmray.data.layouts.cell_size import CELL_BYTES, cell_sizes
from mmray.data.layouts.limits import MAX_UNPACKED_BYTES, MAX_UNPACKED_RATIO
from mmray.errors import ManifestError


class Unpacked:
    """Counts what was unpacked of one file; too much is a ManifestError."""

    def __init__(self, file: str, size: int) -> None:
        self._file = file
        self._most = max(MAX_UNPACKED_BYTES, MAX_UNPACKED_RATIO * size)
        self._total = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Count a batch."""
        self.check(self._total + CELL_BYTES * batch.num_rows * batch.num_columns)
        self._total += sum(int(cell_sizes(column).sum()) for column in batch.columns)
        self.check(self._total)

    def check(self, size: int) -> None:
        """Refuse a size that the file promises."""
        if size > self._most:
            raise ManifestError(
                f"this table unpacks to more than {self._most / 1e9:.1f} GB, and more than "
                f"{MAX_UNPACKED_RATIO} times the size of its file",
                where=self._file,
                hint="keep long texts in separate files, and their paths in the manifest",
            )
