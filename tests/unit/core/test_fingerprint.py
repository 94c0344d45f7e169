from pathlib import Path

import pytest

from mmray.core.fingerprint import digest_file, digest_lines, fingerprint

SETTINGS = {"lr": 0.1, "layers": [1, 2], "names": {"a": None, "b": "é"}}


def test_a_fingerprint_is_the_same_in_every_process_and_for_every_order_of_keys():
    turned = dict(reversed(SETTINGS.items()))

    assert fingerprint(SETTINGS, "x") == fingerprint(turned, "x") == "0fe1892b1a1807aa"


@pytest.mark.parametrize(
    "other",
    [
        (SETTINGS | {"lr": 0.2}, "x"),
        (SETTINGS | {"layers": [2, 1]}, "x"),
        (SETTINGS | {"more": None}, "x"),
        (SETTINGS, "y"),
        ("x", SETTINGS),
        (SETTINGS, "x", ""),
        (SETTINGS,),
    ],
)
def test_a_fingerprint_changes_with_every_part_of_what_it_names(other):
    assert fingerprint(*other) != fingerprint(SETTINGS, "x")


def test_a_digest_of_lines_depends_on_the_lines_and_not_on_their_order():
    assert digest_lines(["a", "b", "b"]) == digest_lines(["b", "a", "b"])
    assert digest_lines(["a", "b", "b"]) != digest_lines(["a", "a", "b"])
    assert digest_lines(["ab", "c"]) != digest_lines(["a", "bc"])


def write_tree(folder, files):
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def test_a_digest_of_a_file_follows_its_bytes_alone(tmp_path):
    write_tree(tmp_path, {"a": "one", "b": "one", "c": "two"})

    a, b, c = (digest_file(Path(tmp_path, name)) for name in "abc")

    assert a == b != c
