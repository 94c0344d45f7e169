"""A column of the manifest that stays in Arrow: a corpus has many samples.

As Python objects, ids and references take three times the room, and each of them is looked at
seldom.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Generic, TypeVar, cast, overload

import numpy as np
import numpy.typing as npt
import pyarrow as pa

T = TypeVar("T")
AT_ONCE = 4096


class Column(Sequence[T]):
    """Cells that become Python objects on demand; equal to a list of them.

    A null cell is replaced by that of ``instead``.
    """

    def __init__(self, cells: pa.Array | pa.ChunkedArray, instead: pa.Array | None = None) -> None:
        self.cells = whole(cells)
        self.instead = None if instead is None else whole(instead)

    def __len__(self) -> int:
        return len(self.cells)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> list[T]: ...
    def __getitem__(self, index: int | slice) -> Any:
        """Return one cell, or those of a slice as a list."""
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            if step == 1:
                return self._cells(lambda cells: cells.slice(start, max(0, stop - start)))
            return self.take(np.arange(start, stop, step))
        cell = self.cells[index].as_py()
        return self.instead[index].as_py() if cell is None and self.instead is not None else cell

    def __iter__(self) -> Iterator[T]:
        for start in range(0, len(self), AT_ONCE):
            yield from self[start : start + AT_ONCE]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(cast("Sequence[object]", other))

    __hash__ = None  # pyright: ignore[reportAssignmentType] (as a list has none)

    def __repr__(self) -> str:
        return f"Column({self.cells.type}, {len(self)} cells)"

    def __arrow_array__(self, type: pa.DataType | None = None) -> pa.Array:
        """Return the cells as they are; ``pa.array`` calls this."""
        if self.instead is not None:
            return pa.array(list(self), type)
        return self.cells if type is None else self.cells.cast(type)

    def take(self, rows: npt.NDArray[np.int64] | Sequence[int]) -> list[T]:
        """Return the cells of some rows."""
        indices = pa.array(rows, pa.int64())
        return self._cells(lambda cells: cells.take(indices))

    def _cells(self, some: Callable[[pa.Array], pa.Array]) -> list[T]:
        cells = some(self.cells).to_pylist()
        if self.instead is None:
            return cells
        others = some(self.instead).to_pylist()
        return [o if c is None else c for c, o in zip(cells, others, strict=True)]


class Gathered(Generic[T]):
    """Cells that come some at a time and stay in Arrow."""

    def __init__(self, type: pa.DataType) -> None:
        self._type = type
        self._pieces: list[pa.Array] = []

    def add(self, cells: Sequence[T]) -> None:
        """Add cells at the end."""
        piece = pa.array(cells, self._type)
        self._pieces += piece.chunks if isinstance(piece, pa.ChunkedArray) else [piece]

    def column(self) -> Column[T]:
        """Return all of them, and keep none."""
        pieces, self._pieces = self._pieces, []
        return Column(pa.chunked_array(pieces, self._type))

    def __iter__(self) -> Iterator[T]:
        for piece in self._pieces:
            yield from Column[T](piece)


def cells_of(cells: Sequence[T], rows: npt.NDArray[np.int64]) -> list[T]:
    """Return the cells of some rows, of a column or of a list."""
    return cells.take(rows) if isinstance(cells, Column) else [cells[int(row)] for row in rows]


def whole(cells: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Return one array; with 64-bit offsets where the chunks together are too long for 32 bits."""
    if isinstance(cells, pa.Array):
        return cells
    if cells.nbytes >= 2**31 and cells.type in LARGE:
        cells = cells.cast(LARGE[cells.type])
    return cells.combine_chunks() if cells.num_chunks != 1 else cells.chunk(0)


LARGE = {pa.string(): pa.large_string(), pa.binary(): pa.large_binary()}
