import os

import pytest

from mmray.core.fingerprint import find_unsealed, seal_files


@pytest.fixture
def sealed(tmp_path):
    (tmp_path / "model").write_bytes(b"weights" * 1000)
    (tmp_path / "tasks.json").write_text("{}")
    return seal_files(tmp_path, ["tasks.json", "model"])


def test_files_as_they_were_sealed_have_nothing_wrong(tmp_path, sealed):
    assert find_unsealed(tmp_path, sealed) == {}


def test_one_flipped_bit_is_found_in_a_file_of_the_same_size(tmp_path, sealed):
    content = bytearray((tmp_path / "model").read_bytes())
    content[4321] ^= 1
    (tmp_path / "model").write_bytes(content)

    wrong = find_unsealed(tmp_path, sealed)

    assert wrong == {"model": "is not what was written (SHA-256 differs)"}


def test_a_file_that_is_gone_or_became_a_folder_is_named(tmp_path, sealed):
    (tmp_path / "model").unlink()
    (tmp_path / "tasks.json").unlink()
    (tmp_path / "tasks.json").mkdir()

    wrong = find_unsealed(tmp_path, sealed)

    assert wrong == {"model": "is not there", "tasks.json": "cannot be read (Is a directory)"}


def test_a_pipe_in_place_of_a_file_is_named_and_not_waited_for(tmp_path, sealed):
    (tmp_path / "model").unlink()
    os.mkfifo(tmp_path / "model")

    assert find_unsealed(tmp_path, sealed) == {"model": "cannot be read (not a regular file)"}
