import io
import pickle

import numpy as np
import pytest

from mmray.core.rejection import Rejection
from mmray.media.series.decode import decode_series
from mmray.media.series.plan import SeriesPlan
from tests.support.kinds.series import npy

NAN = float("nan")


def read(payload, columns=1, **settings):
    return decode_series(payload, plan=SeriesPlan(columns=columns, **settings))


def assert_read(payload, expected, columns=1, **settings):
    np.testing.assert_allclose(read(payload, columns, **settings), expected)


def rejected(payload, columns=1, **settings):
    with pytest.raises(Rejection) as caught:
        read(payload, columns, **settings)
    return caught.value.reason


# --- formats --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "payload",
    [
        b"a,b\n1,2\n3,4\n", b"1,2\n3,4", b"\xef\xbb\xbfa;b\r\n1;2\r\n3;4\r\n", b"1\t2\n 3 \t4\n\n",
        b"[[1,2],[3,4]]", b" [[1, 2.0], [3, 4]]", npy([[1, 2], [3, 4]]),
        npy(np.asfortranarray([[1.0, 2.0], [3.0, 4.0]])), npy(np.array([[1, 2], [3, 4]], ">i2")),
    ],
)  # fmt: skip
def test_the_same_series_is_read_from_every_format(payload):
    assert_read(payload, [[1, 2], [3, 4]], columns=2)


@pytest.mark.parametrize("payload", [b"1\n2\n", b"x\n1\n2", b"[1,2]", npy([1.0, 2.0])])
def test_one_channel_needs_no_second_axis(payload):
    assert_read(payload, [[1], [2]])


def test_channels_are_chosen_by_name_or_position_in_the_order_of_the_document():
    payload = b"when,a,note,b\n0,1,x,2\n1,3,y,4\n"

    assert_read(payload, [[2, 1], [4, 3]], columns=("b", "a"))
    assert_read(payload, [[2, 1], [4, 3]], columns=(3, 1))
    assert_read(npy([[1, 2, 3]]), [[3, 1]], columns=(2, 0))


@pytest.mark.parametrize("empty", ["", "NA", "nan", "null", "inf", "-inf"])
def test_a_cell_without_a_finite_number_is_a_missing_value(empty):
    assert_read(f"1,2\n{empty},4\n".encode(), [[1, 2], [NAN, 4]], columns=2)


def test_an_empty_line_is_a_missing_step_of_a_single_channel():
    assert_read(b"1\n\n3\n", [[1], [NAN], [3]])
    assert_read(b"\n1\n", [[NAN], [1]])
    assert_read(b"\n1,2\n\n3,4\n", [[1, 2], [NAN, NAN], [3, 4]], columns=2)
    assert_read(b"[1,null,3]", [[1], [NAN], [3]])
    assert_read(npy([1, np.inf, 3]), [[1], [NAN], [3]])


def test_a_first_line_of_data_is_no_header():
    assert_read(b"2024-05-31T10:00:00,7\n2024-05-31T10:00:01,8\n", [[7], [8]], columns=1, time=0)
    assert_read(b",2\n3,4\n", [[NAN, 2], [3, 4]], columns=2)


# --- bad payloads ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "series_empty"), (b"\n\n", "series_empty"), (b"a,b\n", "series_empty"),
        (b"[]", "series_empty"), (npy(np.zeros((0, 2))), "series_empty"),
        (b"nan,nan\n,\n", "series_empty"), (b"[[null,null]]", "series_empty"),
        (b"1,2\n3\n", "series_broken"), (b"[[1,2],[3]]", "series_broken"),
        (b"[[1,2],3]", "series_broken"), (b"[[],[]]", "series_broken"),
        (b"[1,2", "series_broken"), (b"[" * 100_000, "series_broken"), (b"{}", "series_broken"),
        (npy(np.zeros((2, 2, 2))), "series_broken"), (npy(np.zeros((2, 2)))[:-1], "series_broken"),
        (b"\x93NUMPY\x09\x00", "series_broken"),
        (b"\x93NUMPY\x01\x00\x04\x00{'a}", "series_broken"),
        (b"1,2\n3,x\n", "series_not_numeric"), (b'[["1","2"]]', "series_not_numeric"),
        (b"[[true,2]]", "series_not_numeric"),
        (b"[[1" + b"0" * 400 + b",2]]", "series_not_numeric"),
        (npy(np.zeros((2, 2), complex)), "series_not_numeric"),
        (npy(np.array([["a", "b"]])), "series_not_numeric"),
        (b"1,2,3\n", "series_channels"), (b"[1,2]", "series_channels"),
    ],
)  # fmt: skip
def test_a_payload_that_cannot_be_used_is_a_rejection(payload, reason):
    assert rejected(payload, columns=2) == reason


def test_a_pickle_inside_of_an_npy_file_is_never_loaded(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (open, (str(tmp_path / "loaded"), "w"))

    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        stream, {"shape": (1, 2), "fortran_order": False, "descr": "|O"}
    )

    assert rejected(stream.getvalue() + pickle.dumps(Bomb()), columns=2) == "series_not_numeric"
    assert not (tmp_path / "loaded").exists()


def test_an_npy_header_that_claims_more_than_is_there_takes_no_memory():
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        stream, {"shape": (1, 2**40), "fortran_order": False, "descr": "<f8"}
    )

    assert rejected(stream.getvalue() + b"few") == "series_broken"


def test_a_column_that_is_not_there_is_named():
    with pytest.raises(Rejection, match="no column is named 'c', but: a, b") as caught:
        read(b"a,b\n1,2\n", columns=("c",))
    assert caught.value.reason == "series_no_column"
    assert rejected(b"[[1,2]]", columns=("a",)) == "series_no_column"
    assert rejected(b"[[1,2]]", columns=(2,)) == "series_no_column"
    assert rejected(b"1,2\n", columns=1, time=5) == "series_no_column"


@pytest.mark.parametrize("payload", [b"1\n" * 11, b"[" + b"1," * 10 + b"1]", npy(np.ones(11))])
def test_too_many_steps_or_bytes_are_rejected(payload):
    assert rejected(payload, max_steps=10) == "series_too_long"
    assert read(payload, max_steps=11).shape == (11, 1)
    assert rejected(payload, max_bytes=9) == "series_too_large"


def test_a_number_of_any_size_stays_one_that_can_be_squared():
    assert_read(b"1e308\n-1e308\n", [[1e100], [-1e100]])


# --- resampling -----------------------------------------------------------------------------


def timed(rows, columns=1, rate_hz=1.0, **settings):
    payload = "\n".join(",".join(map(str, row)) for row in rows).encode()
    return read(payload, columns, time=0, rate_hz=rate_hz, **settings)[:, 0]


def test_values_between_two_times_are_interpolated_linearly():
    np.testing.assert_allclose(timed([(0, 0), (1, 2), (2, 0)], rate_hz=2), [0, 1, 2, 1, 0])
    np.testing.assert_allclose(timed([(5, 0), (6.5, 3), (8, 3)], rate_hz=1), [0, 2, 3, 3])


def test_nothing_is_interpolated_over_a_gap_and_nothing_is_extrapolated():
    found = timed([(0, 0), (1, 1), (2, 2), (9, 9), (10, 10)], max_gap_s=2)
    np.testing.assert_allclose(found, [0, 1, 2, *[NAN] * 6, 9, 10])

    two = read(b"0,,1\n1,5,\n2,6,3\n3,,4\n", 2, time=0, rate_hz=1.0)
    np.testing.assert_allclose(two, [[NAN, 1], [5, 2], [6, 3], [NAN, 4]])


def test_by_default_a_gap_is_longer_than_five_median_distances():
    bridged = timed([(0, 0), (1, 1), (2, 2), (3, 3), (8, 8)])
    gap = timed([(0, 0), (1, 1), (2, 2), (3, 3), (8.5, 8)])

    np.testing.assert_allclose(bridged, np.arange(9))
    np.testing.assert_allclose(gap, [0, 1, 2, 3, *[NAN] * 5])


def test_steps_are_put_in_order_and_of_equal_times_the_last_counts():
    np.testing.assert_allclose(timed([(2, 2), (0, 7), ("", 9), (0, 0), (1, 1)]), [0, 1, 2])
    np.testing.assert_allclose(timed([(4, 3)]), [3])


@pytest.mark.parametrize(
    ("first", "second", "unit"),
    [
        (1_700_000_000, 1_700_000_002, 1.0),
        (1_700_000_000_000, 1_700_000_002_000, 1e-3),
        ("2024-05-31T10:00:00Z", "2024-05-31T12:00:02+02:00", 1.0),
        ("2024-05-31 10:00:00.5", "2024-05-31 10:00:02.5", 1.0),
        ("2024-05-31", "2024-05-31T00:00:02", 1.0),
    ],
)
def test_times_are_numbers_of_a_unit_or_iso_8601(first, second, unit):
    payload = f"t,x\n{first},0\n{second},4\n".encode()

    assert_read(payload, [[0], [2], [4]], ("x",), time="t", time_scale_s=unit, rate_hz=1.0)


@pytest.mark.parametrize("last", [1e9, 1e300, 1e308])
def test_times_far_apart_are_too_long_before_any_room_is_taken(last):
    with pytest.raises(Rejection) as caught:
        timed([(0, 0), (last, 1)], rate_hz=1e6)
    assert caught.value.reason == "series_too_long"


def test_without_a_single_time_a_series_is_empty():
    assert rejected(b"t,x\n,1\n,2\n", ("x",), time="t", rate_hz=1.0) == "series_empty"


# --- missing steps --------------------------------------------------------------------------


def test_missing_steps_stay_or_are_interpolated_or_dropped():
    payload = b",1\n2,\n,3\n4,4\n"

    assert_read(payload, [[NAN, 1], [2, NAN], [NAN, 3], [4, 4]], 2, missing="mask")
    assert_read(payload, [[2, 1], [2, 2], [3, 3], [4, 4]], 2, missing="interpolate")
    assert_read(payload, [[4, 4]], 2, missing="drop")
    assert rejected(b",1\n2,\n", 2, missing="drop") == "series_empty"
