from datetime import date
from decimal import Decimal

import numpy as np
import pytest

from mmray.core.label.name import to_name


@pytest.mark.parametrize(
    "cell",
    ["3", " 3 ", "+3", "3.0", "3.", 3, 3.0, "3.00", np.int64(3), np.float32(3), Decimal("3.00")],
)  # fmt: skip
def test_a_whole_number_is_one_name_whatever_wrote_it(cell):
    assert to_name(cell) == "3"


@pytest.mark.parametrize("cell", [0, 0.0, -0.0, "0", "-0", "-0.0", Decimal("-0.0")])
def test_zero_is_one_name(cell):
    assert to_name(cell) == "0"


@pytest.mark.parametrize("cell", ["caf\u00e9", "cafe\u0301", " caf\u00e9\t", "\u00a0cafe\u0301"])
def test_text_is_composed_and_without_blanks_around_it(cell):
    assert to_name(cell) == "caf\u00e9"


@pytest.mark.parametrize(
    ("cell", "name"),
    [
        ("Zürich", "Zürich"), (2.5, "2.5"), (Decimal("2.50"), "2.5"), ("1.2.0", "1.2.0"),
        ("007", "007"), (True, "true"), ("TRUE", "true"), ("False", "false"), ("No", "No"),
        (date(2024, 5, 31), "2024-05-31"), (-1, "-1"), ("-1.0", "-1"), (1e16, "1" + "0" * 16),
        ("nan", "nan"), ("a b", "a b"), (" ", ""), ("\ud800x", "?x"), ("٣", "٣"),
    ],
)  # fmt: skip
def test_a_name_is_kept(cell, name):
    assert to_name(cell) == name


@pytest.mark.parametrize("cell", [["a"], {"a": 1}, b"a", None])
def test_what_is_no_name_is_refused(cell):
    with pytest.raises(ValueError, match="is not a name"):
        to_name(cell)
