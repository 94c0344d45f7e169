"""Sizes of the cells of an Arrow array as Python objects. Axes: N cells.

A dictionary holds a long text once and has many cells that refer to it, and each of them becomes a
text of its own. So cells are measured, and not the buffers.
"""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

Sizes = npt.NDArray[np.float64]
"""Bytes as floats: three levels of dictionaries name more than an integer holds."""

CELL_BYTES = 8
"""Least size of a cell, even if a file claims millions of nulls."""
VIEW_INTS = 4
"""A view is 16 bytes, of which the first four are the length."""


def cell_sizes(cells: pa.Array) -> Sizes:
    """Return the bytes of each cell, shape (N); a type that is not read is a ValueError."""
    if (width := _width(cells.type)) is not None:
        return np.broadcast_to(np.float64(width), len(cells))
    match cells:
        case pa.ExtensionArray():
            return cell_sizes(cells.storage)
        case pa.DictionaryArray():
            return _referred(cell_sizes(cells.dictionary), cells.indices)
        case pa.StructArray():
            fields = [cell_sizes(field) for field in cells.flatten()]
            return np.sum([np.full(len(cells), float(CELL_BYTES)), *fields], axis=0)
        case pa.StringViewArray() | pa.BinaryViewArray():
            return CELL_BYTES + _view_bytes(cells)
        case pa.StringArray() | pa.BinaryArray() | pa.LargeStringArray() | pa.LargeBinaryArray():
            return CELL_BYTES + _filled(pc.call_function("binary_length", [cells]))
        case pa.ListArray() | pa.LargeListArray() | pa.FixedSizeListArray():
            return CELL_BYTES + _list_bytes(cells)
        case _:
            raise ValueError(f"cells of the type {cells.type} are not read")


def _width(kind: pa.DataType) -> int | None:
    """Return the size of a cell if all are equally large."""
    if types.is_fixed_size_binary(kind):
        return CELL_BYTES + kind.byte_width
    alike = types.is_primitive(kind) or types.is_null(kind) or types.is_decimal(kind)
    return CELL_BYTES if alike else None


def _view_bytes(cells: pa.Array) -> Sizes:
    views = np.frombuffer(cells.buffers()[1] or b"", dtype=np.int32)[::VIEW_INTS]
    return views[cells.offset : cells.offset + len(cells)].astype(np.float64)


def _list_bytes(cells: pa.ListArray | pa.LargeListArray | pa.FixedSizeListArray) -> Sizes:
    if isinstance(cells, pa.FixedSizeListArray):
        rows = np.arange(len(cells) + 1, dtype=np.int64) + cells.offset
        offsets = rows * cells.type.list_size
    else:
        offsets = cells.offsets.to_numpy()
    if (width := _width(cells.values.type)) is not None:
        return np.diff(offsets) * float(width)
    return np.diff(np.concatenate([[0.0], np.cumsum(cell_sizes(cells.values))])[offsets])


def _referred(sizes: Sizes, indices: pa.Array) -> Sizes:
    """Return the size of what each index refers to; null refers to nothing."""
    of_null = np.append(sizes, float(CELL_BYTES))
    return of_null[indices.cast(pa.int64()).fill_null(len(sizes)).to_numpy()]


def _filled(numbers: pa.Array) -> Sizes:
    return numbers.fill_null(0).to_numpy(zero_copy_only=False).astype(np.float64)
