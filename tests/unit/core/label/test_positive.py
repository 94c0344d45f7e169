import pytest

from mmray.core.label.positive import positive_of


@pytest.mark.parametrize(
    ("named", "labels", "positive"),
    [
        ("ill", ["ill", "well"], "ill"),
        ("sick", ["ill", "well"], None),
        (None, ["0", "1"], "1"),
        (None, ["true", "false"], "true"),
        (None, ["No", "Yes"], "Yes"),
        (None, ["no", "ill"], None),
        (None, ["1", "yes"], None),
        ("0", ["0", "1"], "0"),
        (None, [], None),
    ],
)
def test_the_named_label_is_positive_else_the_one_that_says_yes(named, labels, positive):
    assert positive_of(named, labels) == positive
