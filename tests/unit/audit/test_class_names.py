import pytest

from mmray.audit.class_names import odd_names


def sentences(**counts):
    return list(odd_names("animal", counts))


@pytest.mark.parametrize("twin", ["Cat", "cat.", "ｃａｔ", "c at", "cat\u200b"])
def test_classes_that_are_written_alike_are_named(twin):
    (found,) = sentences(**{"cat": 80, "dog": 60, twin: 40})

    assert found.startswith(
        "animal: classes with nearly equal names count as different: 'cat' (80)"
    )
    assert "and '" in found
    assert "dog" not in found


def test_a_rare_class_that_looks_like_a_common_one_may_be_mistyped():
    (found,) = sentences(cat=80, dog=60, catt=1, elephant=1)

    assert found == "animal: classes that may be mistyped: 'catt' (1) for 'cat' (80)"


@pytest.mark.parametrize(
    "counts",
    [
        {"goose": 40, "moose": 50},
        {"1": 90, "10": 2, "11": 1},
        {"class 1": 90, "class 2": 1},
        {"-1": 30, "1": 30},
        {"C": 30, "C++": 30, "D": 30},
    ],
)
def test_classes_that_are_several_are_left_alone(counts):
    assert sentences(**counts) == []


@pytest.mark.parametrize("nothing", ["nan", "NaN", "None", "null", "N/A", "?"])
def test_a_class_that_is_a_word_for_nothing_is_named(nothing):
    (found,) = sentences(**{"cat": 80, "dog": 70, nothing: 12})

    assert f"a class is named {nothing!r} (12)" in found
    assert "leave the cell empty" in found


def test_thousands_of_classes_are_looked_at_in_bounded_time_and_words():
    counts = {f"animal {chr(97 + n % 26) * (n % 40 + 1)} {'ab' * n}": 1 for n in range(2000)}

    assert all(len(found) < 2000 for found in odd_names("animal", counts))
