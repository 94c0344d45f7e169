"""What a completion marker says is taken only as it was written."""

import logging
import os

import pytest

from mmray.core.file.atomic import (
    SUCCESS,
    mark_success,
    read_complete,
    read_success,
    sealed,
    unsealed,
    warn_of_damage,
)

SAID = {"fingerprint": "f0", "report": {"counts": {"1": [1, 2.5, None, "é"]}}, "seconds": 0.1}


@pytest.fixture(autouse=True)
def forget():
    warn_of_damage.cache_clear()


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "state").mkdir()
    (tmp_path / "model.bin").write_bytes(b"weights")
    (tmp_path / "state" / "words.json").write_text("[]")
    mark_success(tmp_path, SAID, files=["model.bin", "state/words.json"])
    return tmp_path


def test_a_marker_says_what_it_was_given(tmp_path, folder):
    assert SAID.items() <= read_complete(folder).items()
    mark_success(tmp_path, SAID)
    assert read_success(tmp_path) == SAID


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: "",
        lambda text: text[:-20],
        lambda text: text.replace("2.5", "2.6"),
        lambda text: text.replace('"digest"', '"digits"'),
        lambda text: "{}",
        lambda text: "[]",
        lambda text: "null",
        lambda text: "[" * 100_000,
        lambda text: '{"digest": [1]}',
    ],
)
def test_a_marker_that_is_empty_cut_or_changed_is_none_and_is_named_once(folder, caplog, damage):
    marker = folder / SUCCESS
    marker.write_text(damage(marker.read_text(encoding="utf-8")), encoding="utf-8")

    with caplog.at_level(logging.WARNING):
        assert read_success(folder) is read_complete(folder) is None

    line = f"{marker} is empty, cut or changed: it counts as incomplete, and is made again"
    assert caplog.messages == [line]


def test_every_changed_byte_of_a_marker_is_seen(folder):
    marker = folder / SUCCESS
    whole = marker.read_bytes()
    for place in range(0, len(whole), 3):
        marker.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        warn_of_damage.cache_clear()
        found = read_success(folder)
        assert found is None or SAID.items() <= found.items()


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda path: path.unlink(), "is not there"),
        (lambda path: path.write_bytes(b"weighs!"), "is not what was written (SHA-256 differs)"),
        (lambda path: os.truncate(path, 0), "is not what was written (SHA-256 differs)"),
    ],
)
def test_what_is_sealed_and_damaged_is_not_complete(folder, caplog, damage, said):
    damage(folder / "model.bin")

    with caplog.at_level(logging.WARNING):
        assert read_complete(folder) is None

    assert caplog.messages[0].startswith(f"{folder / 'model.bin'} {said}: it counts as incomplete")


def test_a_sealed_document_is_unsealed_as_it_was():
    assert unsealed(sealed(SAID)) == SAID
    for other in (SAID, {}, None, [sealed(SAID)], sealed(SAID) | {"seconds": 0.2}):
        with pytest.raises(ValueError, match="empty, cut or changed"):
            unsealed(other)
