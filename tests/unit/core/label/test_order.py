import pytest

from mmray.core.label.order import ordered


@pytest.mark.parametrize(
    ("classes", "order"),
    [
        (["10", "9", "-1", "2.5"], ("-1", "2.5", "9", "10")),
        (["1.0", "1"], ("1", "1.0")),
        (["1", "two"], None),
        (["1", "inf"], None),
        (["nan", "1"], None),
        ([], ()),
    ],
)
def test_classes_that_are_numbers_are_ordered_by_value(classes, order):
    assert ordered(classes) == order
