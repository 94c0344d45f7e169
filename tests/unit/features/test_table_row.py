import contextlib
import json
import pickle

import numpy as np
import pytest
from pydantic import TypeAdapter

from mmray.config.modality.table import TableConfig
from mmray.core.rejection import Rejection
from mmray.data.manifest.reference import reference_of
from mmray.features.table.fit import row_reader
from mmray.features.table.row import TableRow

CONFIG = TypeAdapter(TableConfig).validate_python(
    {"numbers": ["age"], "categories": ["sex"], "dates": ["seen"], "sequences": ["tracks"]}
)
read = row_reader(CONFIG)


def rejection_of(payload):
    with pytest.raises(Rejection) as caught:
        read(payload)
    return caught.value


def test_cells_are_typed_and_missing_ones_keep_their_place():
    row = read(b'{"age":3,"sex":"f","seen":"1970-01-02T00:00:00.500+00:00","tracks":["a","a"]}')
    gaps = read(b'{"sex":"m"}')

    assert row == TableRow((3.0,), ("f",), (86_400.5,), (("a", "a"),))
    assert (gaps.categories, gaps.sequences) == (("m",), (None,))
    assert np.isnan([*gaps.numbers, *gaps.dates]).all()


def test_a_huge_number_counts_as_the_largest():
    assert read(b'{"age":-1e300}').numbers == (-1e100,)


@pytest.mark.parametrize(
    ("cells", "reason", "detail"),
    [
        ({"age": "abc"}, "table_bad_number", "age: 'abc' is not a number"),
        ({"age": "inf"}, "table_bad_number", "age: 'inf' is not a finite number"),
        ({"sex": ["f"]}, "table_bad_category", "sex: ['f'] is not a name"),
        ({"seen": "soon"}, "table_bad_date", "seen: 'soon' is not a date in the format ISO 8601"),
        ({"tracks": "[1"}, "table_bad_sequence", "tracks: '[1' is not a list of ids"),
    ],
)
def test_a_cell_that_cannot_be_read_rejects_its_row_and_is_named(cells, reason, detail):
    rejection = rejection_of(reference_of(CONFIG, {"sex": "f", "age": 1} | cells).encode())

    assert rejection.reason == reason
    assert rejection.detail.startswith(detail)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "table_malformed"), (b"\xff", "table_malformed"), (b"[]", "table_malformed"),
        (b"[" * 100_000, "table_malformed"), (b'{"age":NaN}', "table_malformed"),
        (b'{"age":' + b"9" * 9999 + b"}", "table_malformed"), (b"{}", "table_empty"),
        (b'{"other":1}', "table_empty"), (b'{"age":true}', "table_bad_number"),
        (b'{"age":1e999}', "table_bad_number"),
        (b'{"age":' + b"9" * 999 + b"}", "table_bad_number"),
        (b'{"age":{"unreadable":[]}}', "table_bad_number"), (b'{"sex":1}', "table_bad_category"),
        (b'{"seen":5}', "table_bad_date"), (b'{"seen":"2024-01-01"}', "table_bad_date"),
        (b'{"tracks":"a"}', "table_bad_sequence"), (b'{"tracks":[null]}', "table_bad_sequence"),
    ],
)  # fmt: skip
def test_whatever_the_bytes_are_they_are_a_row_or_a_rejection(payload, reason):
    assert rejection_of(payload).reason == reason


def test_damaged_rows_are_read_or_rejected():
    payload = json.dumps({"age": 3.5, "sex": "f", "tracks": ["a"] * 20, "seen": "2024-05-31"})
    generator = np.random.default_rng(0)
    for _ in range(500):
        damaged = bytearray(payload.encode())
        for place in generator.integers(0, len(damaged), 3):
            damaged[place] = generator.integers(0, 256)
        with contextlib.suppress(Rejection):
            assert isinstance(read(bytes(damaged)), TableRow)


def test_the_decoder_can_be_sent_to_another_process():
    assert pickle.loads(pickle.dumps(read))(b'{"age":3}').numbers == (3.0,)
