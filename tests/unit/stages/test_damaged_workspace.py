"""Files of a workspace that are empty, cut, changed or gone; and a workspace that is moved."""

import os

import pytest

from mmray.core.file.atomic import SUCCESS, warn_of_damage
from mmray.errors import MMRayError
from mmray.stages.workspace import MANIFEST, Workspace
from tests.support.extraction import Corpus, notes

TEXT = {"column": "note", "extract": {"kind": "tokens", "vocabulary": 60}}


@pytest.fixture
def corpus(tmp_path):
    (tmp_path / "project").mkdir()
    return Corpus(tmp_path / "project", notes(20), text=TEXT)


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


DAMAGES = {
    "empty": lambda path: os.truncate(path, 0),
    "cut": lambda path: os.truncate(path, path.stat().st_size // 2),
    "flipped": flip,
    "gone": lambda path: path.unlink(),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_whatever_is_damaged_is_made_again_or_named_with_a_remedy_that_helps(corpus, damage):
    first, _ = corpus.extract()
    files = sorted(path for path in corpus.workspace.rglob("*") if path.is_file())
    assert len(files) > 9
    for path in files:
        warn_of_damage.cache_clear()
        DAMAGES[damage](path)
        try:
            again, _ = corpus.extract()
        except MMRayError as error:
            told = error.where, error.hint[:16]
            path.unlink()
            again, _ = corpus.extract()
        else:
            told = str(path), "delete this file"
        assert told == (str(path), "delete this file")
        assert again.fingerprint == first.fingerprint, path
        assert path.name.startswith("shard-") or path.stat().st_size > 0
        corpus.folders()


@pytest.mark.parametrize("name", [SUCCESS, MANIFEST])
def test_a_later_stage_says_which_stage_to_run_again(corpus, name, caplog):
    corpus.extract()
    path = Workspace(corpus.config).prepared_folder / name
    flip(path)

    with pytest.raises(MMRayError) as caught:
        corpus.folders()

    assert "the stage 'prepare' has not been run" in str(caught.value)
    assert "mmray prepare CONFIG" in caught.value.hint
    assert f"{path} is " in caplog.text


def test_a_project_that_is_renamed_keeps_everything_and_nothing_of_the_old_place_comes_back(
    tmp_path, monkeypatch
):
    old, new = tmp_path / "old", tmp_path / "new"
    (old / "words").mkdir(parents=True)
    for n in range(20):
        (old / "words" / f"{n}.txt").write_text(f"words {n} of a file")
    file = {"kind": "text", "column": "file", "payload": "file", "extract": {"kind": "tfidf"}}
    rows = notes(20, file=lambda n: f"words/{n}.txt")
    monkeypatch.chdir(old)
    corpus = Corpus("", rows, text=TEXT, file=file)
    first, _ = corpus.extract()

    old.rename(new)
    monkeypatch.chdir(new)
    report, computed = corpus.extract()

    assert computed == {}
    assert report.fingerprint == first.fingerprint
    assert report.counts["modalities"]["file"]["extracted"] == 20
    assert not old.exists()
