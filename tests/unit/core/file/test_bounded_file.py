import os

import pytest

from mmray.core.file.bounded import parse_json, read_bounded
from mmray.errors import ManifestError


def test_a_file_at_the_limit_is_read_and_one_above_is_an_error(tmp_path):
    path = tmp_path / "a.json"
    path.write_bytes(b"12345678")

    assert read_bounded(path, max_bytes=8, error=ManifestError) == b"12345678"
    with pytest.raises(ManifestError, match=r"'a\.json' is larger than the limit of 7 b") as caught:
        read_bounded(path, max_bytes=7, error=ManifestError)
    assert caught.value.where == str(path)


def test_what_is_no_regular_file_is_named_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")

    for path, kind in ((tmp_path / "pipe", "a pipe"), (tmp_path, "a folder")):
        with pytest.raises(ManifestError, match=f"not a regular file but {kind}") as caught:
            read_bounded(path, max_bytes=9, error=ManifestError)
        assert caught.value.where == str(path)


def test_a_device_without_end_is_not_read():
    from pathlib import Path

    with pytest.raises(ManifestError, match="a device"):
        read_bounded(Path("/dev/zero"), max_bytes=9, error=ManifestError)


@pytest.mark.parametrize("name", ["absent", "null\0byte", "x" * 300])
def test_a_path_that_cannot_be_opened_says_why(tmp_path, name):
    with pytest.raises(ManifestError, match=r"cannot be read: [A-Za-z]") as caught:
        read_bounded(tmp_path / name, max_bytes=9, error=ManifestError)

    assert caught.value.where == str(tmp_path / name)
    assert caught.value.hint == "check the path and its mode"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "Expecting value"),
        ('{"a": [1, 2', "Expecting"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a": NaN}', "NaN is not a JSON number"),
        ("9" * 5000, "limit"),
        ('{"a": 1, "a": 2}', "the key 'a' appears twice"),
        (b"\xff\xfe", "codec"),
    ],
)
def test_what_is_no_json_is_an_error_that_says_why(text, problem):
    with pytest.raises(ManifestError, match=problem) as caught:
        parse_json(text, what="the marker", where="here", error=ManifestError)

    assert "the marker is not valid JSON" in str(caught.value)
    assert caught.value.where == "here"


def test_json_is_read():
    assert parse_json(b'{"a": [1, 2.5]}', what="x", where="y", error=ManifestError) == {
        "a": [1, 2.5]
    }
