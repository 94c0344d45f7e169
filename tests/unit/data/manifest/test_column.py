"""A column that stays in Arrow."""

import numpy as np
import pyarrow as pa
import pytest

from mmray.data.manifest.column import AT_ONCE, Column, cells_of


def test_a_column_is_as_good_as_a_list():
    cells = [f"s{number}" for number in range(AT_ONCE + 5)]
    chunked = pa.chunked_array([cells[:10], cells[10:]])
    column = Column(chunked)

    assert list(column) == cells == column
    assert len(column) == len(cells)
    assert (column[3], column[-1]) == (cells[3], cells[-1])
    assert column[2:9:3] == cells[2:9:3]
    assert column.take([5, 1]) == ["s5", "s1"]
    assert pa.array(column, pa.string()).equals(pa.array(cells))
    with pytest.raises(IndexError):
        column[len(cells)]


def test_another_column_stands_in_for_null_cells():
    column = Column(pa.array([b"\xff", None, None]), instead=pa.array([None, "a.jpg", None]))

    assert list(column) == [b"\xff", "a.jpg", None] == column.take([0, 1, 2])
    assert (column[0], column[1], column[2]) == (b"\xff", "a.jpg", None)
    assert column.count(None) == 1


def test_cells_of_some_rows_come_from_a_column_and_from_a_list():
    rows = np.array([2, 0])

    assert cells_of(Column(pa.array([1.0, None, 3.0])), rows) == [3.0, 1.0]
    assert cells_of(["a", "b", "c"], rows) == ["c", "a"]
