import numpy as np
import pyarrow as pa
import pytest

from mmray.data.layouts.cell_size import cell_sizes

LONG = "x" * 1000


@pytest.mark.parametrize(
    ("cells", "sizes"),
    [
        (pa.array([LONG, None, "ab"]), [1008, 8, 10]),
        (pa.array([LONG, "ab"], pa.string_view()), [1008, 10]),
        (pa.array([LONG, None, "ab", LONG]).dictionary_encode(), [1008, 8, 10, 1008]),
        (pa.array([None, None], pa.dictionary(pa.int8(), pa.string())), [8, 8]),
        (pa.array([1, None]), [8, 8]),
        (pa.nulls(2), [8, 8]),
        (pa.array([b"1234"], pa.binary(4)), [12]),
        (pa.array([[1, 2], None, [3]]), [24, 8, 16]),
        (pa.array([[LONG], None, ["ab", LONG], []]), [1016, 8, 1026, 8]),
        (pa.array([["a", "bc"], ["d", "e"]], pa.list_(pa.string(), 2)), [27, 26]),
        (pa.array([{"a": LONG, "b": [1, 2]}, None]), [1040, 24]),
        (pa.array([[("k", LONG)], []], pa.map_(pa.string(), pa.string())), [1033, 8]),
    ],
)
def test_each_cell_has_the_size_of_what_it_refers_to(cells, sizes):
    assert cell_sizes(cells).tolist() == sizes
    assert cell_sizes(cells.slice(1)).tolist() == sizes[1:]


def test_a_dictionary_may_be_as_long_as_its_indices_can_count():
    texts = [str(number) for number in range(128)]
    cells = pa.array([None, *texts], pa.dictionary(pa.int8(), pa.string()))

    assert cell_sizes(cells).tolist() == [8, *[8 + len(text) for text in texts]]


def test_dictionaries_within_dictionaries_do_not_run_over():
    inner = pa.DictionaryArray.from_arrays(pa.array(np.zeros(1000, dtype=np.int32)), [LONG])
    cells = pa.ListArray.from_arrays(pa.array([0, 1000], pa.int32()), inner)
    for _ in range(6):
        many = pa.DictionaryArray.from_arrays(pa.array(np.zeros(1000, dtype=np.int32)), cells)
        cells = pa.ListArray.from_arrays(pa.array([0, 1000], pa.int32()), many)

    assert cell_sizes(cells)[0] > 1e21


@pytest.mark.parametrize(
    "cells",
    [
        pa.RunEndEncodedArray.from_arrays(pa.array([3], pa.int32()), pa.array(["x"])),
        pa.array([[1]], pa.list_view(pa.int64())),
    ],
)
def test_types_whose_cells_may_share_what_they_hold_are_not_read(cells):
    with pytest.raises(ValueError, match="cells of the type"):
        cell_sizes(cells)
