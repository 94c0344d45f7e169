"""An extraction job: the pending samples of one modality, and their folder."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mmray.config.document import Config
from mmray.data.manifest.column import AT_ONCE, Column, cells_of
from mmray.data.manifest.manifest import Manifest
from mmray.data.manifest.reference import Reference


class PendingRows(Sequence[tuple[str, Reference, str]]):
    """Sample id, reference and payload version of some rows of the manifest.

    Each is looked up on demand: a corpus has many samples, and memory per sample adds up.
    """

    def __init__(
        self, rows: npt.NDArray[np.int64], manifest: Manifest, name: str, keys: pa.Array
    ) -> None:
        self._rows = rows
        self._columns = (manifest.ids, manifest.references[name], Column[str](keys))

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[tuple[str, Reference, str]]:
        for start in range(0, len(self), AT_ONCE):
            yield from self[start : start + AT_ONCE]

    @overload
    def __getitem__(self, index: int) -> tuple[str, Reference, str]: ...
    @overload
    def __getitem__(self, index: slice) -> list[tuple[str, Reference, str]]: ...
    def __getitem__(self, index: int | slice) -> Any:
        """Return one sample, or those of a slice."""
        if isinstance(index, slice):
            return list(zip(*(cells_of(c, self._rows[index]) for c in self._columns), strict=True))
        return tuple(column[int(self._rows[index])] for column in self._columns)


@dataclass(frozen=True, slots=True)
class ExtractionJob:
    """Samples of one modality whose features go into ``folder``."""

    name: str
    config: Config
    manifest: Manifest
    folder: Path
    state: Path | None
    """Folder of the fitted state."""
    pending: PendingRows
