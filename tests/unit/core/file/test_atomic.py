import os
import resource

import pytest

from mmray.core.file.atomic import mark_success, read_json, read_success, replacing, write_json
from mmray.errors import DiskFullError, MMRayError


def write_half(path):
    with replacing(path) as temporary:
        temporary.write_text("half")
        raise InterruptedError


@pytest.mark.parametrize("earlier", [None, "whole"])
def test_a_half_written_file_is_never_seen(tmp_path, earlier):
    path = tmp_path / "a.txt"
    if earlier:
        path.write_text(earlier)

    with pytest.raises(InterruptedError):
        write_half(path)

    assert [file.read_text() for file in tmp_path.iterdir()] == ([earlier] if earlier else [])


def test_a_disk_without_room_is_an_error_that_says_so_and_leaves_nothing(tmp_path):
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(DiskFullError, match=r"no space left to write a\.json") as caught:
            write_json(tmp_path / "a.json", ["x" * 2000])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))

    assert caught.value.where == str(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_not_there_before_the_block_ends(tmp_path):
    path = tmp_path / "new" / "a.txt"

    with replacing(path) as temporary:
        temporary.write_text("whole")
        seen = path.exists()

    assert not seen
    assert path.read_text() == "whole"
    assert list(path.parent.iterdir()) == [path]


def test_a_temporary_file_has_another_suffix_so_that_no_pattern_for_the_real_one_finds_it(tmp_path):
    with replacing(tmp_path / "shard-1.parquet") as temporary:
        temporary.write_text("half")
        found = list(tmp_path.glob("*.parquet"))

    assert found == []


def test_json_comes_back_as_it_was_written_and_other_languages_stay_readable(tmp_path):
    document = {"words": ["héllo", "你好"], "numbers": [1, 0.1, None, True]}

    write_json(tmp_path / "a.json", document)

    assert read_json(tmp_path / "a.json") == document
    assert "你好" in (tmp_path / "a.json").read_text("utf-8")


def test_what_json_cannot_say_leaves_the_earlier_file_alone(tmp_path):
    write_json(tmp_path / "a.json", {"loss": 1.0})

    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a.json", {"loss": float("nan")})

    assert read_json(tmp_path / "a.json") == {"loss": 1.0}


def test_a_folder_is_complete_once_it_is_marked(tmp_path):
    before = read_success(tmp_path)

    mark_success(tmp_path, {"fingerprint": "f"})

    assert before is None
    assert read_success(tmp_path) == {"fingerprint": "f"}


def test_a_folder_in_place_of_what_is_to_be_written_is_an_error_that_names_it(tmp_path):
    (tmp_path / "a.json").mkdir()

    with pytest.raises(MMRayError, match=r"a\.json cannot be written: Is a directory") as caught:
        write_json(tmp_path / "a.json", {})

    assert caught.value.where == str(tmp_path / "a.json")


def test_a_pipe_is_not_waited_for_when_json_is_read(tmp_path):
    os.mkfifo(tmp_path / "a.json")

    with pytest.raises(OSError, match="not a regular file"):
        read_json(tmp_path / "a.json")
