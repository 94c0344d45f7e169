import math
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from mmray.core.label.cell import is_missing, read_number
from mmray.data.table.cell import read_date, read_sequence

SHANGHAI = timezone(timedelta(hours=8))


@pytest.mark.parametrize("nothing", [None, "", math.nan, np.float32("nan"), pd.NA, pd.NaT])
def test_nothing_is_missing(nothing):
    assert is_missing(nothing)


@pytest.mark.parametrize("something", [0, 0.0, False, "0", b"", [], (), np.zeros(2), date.min])
def test_something_is_not_missing(something):
    assert not is_missing(something)


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("3", 3.0), ("-2.5e3", -2500.0), (3, 3.0), (np.int64(3), 3.0), (np.float32(0.5), 0.5),
        (Decimal("1.25"), 1.25), (True, 1.0), ("True", 1.0), ("false", 0.0), ("nan", None),
        (Decimal("NaN"), None),
    ],
)  # fmt: skip
def test_a_number_is_read_whatever_wrote_it(cell, number):
    assert read_number(cell) == number


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("abc", "is not a number"), ("1,5", "is not a number"), ("1_000", "is not a number"),
        ([1], "is not a number"), (b"1", "is not a number"), (date(2024, 1, 1), "is not a number"),
        ("inf", "is not a finite number"), (-math.inf, "is not a finite number"),
        ("1e999", "is not a finite number"), (10**400, "is not a finite number"),
    ],
)  # fmt: skip
def test_what_is_no_number_is_refused(cell, words):
    with pytest.raises(ValueError, match=words):
        read_number(cell)


@pytest.mark.parametrize(
    ("cell", "format"),
    [
        ("2024-05-31", "iso"), ("20240531", "iso"), (20240531, "iso"), ("20240531.0", "iso"),
        (date(2024, 5, 31), "iso"), (datetime(2024, 5, 31), "%d.%m.%Y"),
        (datetime(2024, 5, 31, 8, tzinfo=SHANGHAI), "iso"), ("2024-05-31T08:00+08:00", "iso"),
        (pd.Timestamp("2024-05-31"), "iso"), (np.datetime64("2024-05-31", "ns"), "iso"),
        ("31.5.2024", "%d.%m.%Y"), (1717113600, "unix_s"), ("1717113600000", "unix_ms"),
    ],
)  # fmt: skip
def test_a_date_is_read_whatever_wrote_it(cell, format):
    assert read_date(cell, format) == "2024-05-31T00:00:00.000+00:00"


def test_a_year_alone_is_read_with_its_pattern():
    assert read_date(1997.0, "%Y") == "1997-01-01T00:00:00.000+00:00"


@pytest.mark.parametrize(
    ("cell", "format"),
    [
        ("yesterday", "iso"), (1717113600, "iso"), ("2024-13-01", "iso"), ([2024], "iso"),
        (True, "iso"), (1e300, "unix_s"), ("nan", "unix_s"), ("2024-05-31", "%d.%m.%Y"),
        (datetime.min.replace(tzinfo=SHANGHAI), "iso"),
    ],
)  # fmt: skip
def test_what_is_no_date_is_refused(cell, format):
    with pytest.raises(ValueError, match="is not a date in the format"):
        read_date(cell, format)


@pytest.mark.parametrize(
    "cell",
    [
        ["a", 7], ("a", 7.0), '["a", 7]', "a|7", " a | 7 ", np.array(["a", "7"]),
        ["a", None, "7", ""], '["a", "", 7, null]', "a||7",
    ],
)  # fmt: skip
def test_a_sequence_is_read_whatever_wrote_it(cell):
    assert read_sequence(cell) == ["a", "7"]


def test_a_sequence_may_be_empty_or_one_id():
    assert read_sequence([]) == read_sequence("[]") == []
    assert read_sequence(7) == read_sequence("7") == ["7"]


@pytest.mark.parametrize(
    "cell", ["['a']", "[1, 2", "[" * 100_000, [["a"]], [{"id": 1}], '[{"id": 1}]', {"a": 1}]
)
def test_what_is_no_sequence_is_refused(cell):
    with pytest.raises(ValueError, match="is not a list of ids"):
        read_sequence(cell)


def test_the_time_of_a_sample_keeps_its_milliseconds_in_utc():
    moment = datetime(2024, 5, 31, 1, 2, 3, 456_789, tzinfo=UTC)

    assert read_date(moment, "iso") == "2024-05-31T01:02:03.456+00:00"
    assert read_date(pd.Timestamp(moment), "iso") == "2024-05-31T01:02:03.456+00:00"
