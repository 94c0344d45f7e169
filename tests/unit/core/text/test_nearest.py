import pytest

from mmray.core.text.nearest import MAX_NAMES, did_you_mean, listed, nearest, shortened

LONG = "x" * 81


@pytest.mark.parametrize(
    ("name", "names", "found"),
    [
        ("titel", ["text", "title", "tilt"], "title"),
        ("quite else", ["title"], None),
        ("titel", [], None),
        ("y" + LONG, ["z" * 90, LONG + "tail"], LONG + "tail"),
    ],
)
def test_the_name_that_looks_most_alike_is_found(name, names, found):
    assert nearest(name, names) == found


def test_a_higher_cutoff_asks_for_more_likeness():
    assert nearest("titel", ["title"], cutoff=0.95) is None


def test_of_a_list_without_end_the_first_names_are_compared():
    names = [f"{number:08d}" for number in range(MAX_NAMES)]

    assert nearest("title", [*names[:-1], "title"]) == "title"
    assert nearest("title", [*names, "title"]) is None


def test_a_hint_names_the_nearest_or_all():
    assert did_you_mean("titel", ["text", "title"]) == "did you mean 'title'?"
    assert did_you_mean("photo", ["text", "title"]) == "there are: text, title"
    assert did_you_mean("photo", ["a", "b"], "use one of") == "use one of: a, b"
    assert did_you_mean(LONG, [LONG + "."]) == f"did you mean '{'x' * 77}...'?"


def test_a_list_shows_its_first_names_and_counts_the_rest():
    names = [str(number) for number in range(1021)]

    assert listed(names[:20]) == ", ".join(names[:20])
    assert listed(names[:21]) == ", ".join(names[:20]) + " and 1 more"
    assert listed(names).endswith("18, 19 and 1,001 more")
    assert listed(["a", "b", "c"], between="; ", limit=2) == "a; b and 1 more"


def test_a_name_of_eighty_characters_is_shown_and_a_longer_one_cut():
    assert shortened("x" * 80) == "x" * 80
    assert shortened("x" * 81) == "x" * 77 + "..."
