"""Files that are not where, or not as old as, they were: which features count for them."""

import os
import shutil

import numpy as np
import pytest

from mmray.features.spec import spec_of
from mmray.features.store import read_features
from tests.support.extraction import Corpus, notes
from tests.support.payload import photo_payload

PIXELS = {"column": "photo", "extract": {"kind": "pixels", "height": 8, "width": 8}}
IDS = [f"s{number}" for number in range(10)]


def write_photos(folder, *, seed):
    """Write photos that claim one size and one time, whatever they show."""
    folder.mkdir(exist_ok=True)
    for number in range(10):
        photo = folder / f"{number}.bmp"
        photo.write_bytes(photo_payload(16, 12, seed=seed + number, format="BMP"))
        os.utime(photo, ns=(0, 1_000))


def corpus_in(folder):
    return Corpus(folder, notes(10, photo=lambda n: f"{n}.bmp"), image=PIXELS)


def features(corpus):
    spec = spec_of(corpus.config.modalities["image"])
    return read_features(corpus.folders()["image"], IDS, spec).values


def test_two_corpora_with_equal_names_sizes_and_times_share_nothing_in_one_workspace(tmp_path):
    write_photos(tmp_path / "v1", seed=0)
    write_photos(tmp_path / "v2", seed=100)
    first, second = (corpus_in(tmp_path / version) for version in ("v1", "v2"))
    second.workspace = first.workspace
    first.extract()
    before = features(first)

    _, computed = second.extract()

    assert computed == {"image": IDS}
    assert (features(second) != before).any(axis=(1, 2, 3)).all()
    assert first.extract()[1] == {}
    np.testing.assert_array_equal(features(first), before)


@pytest.mark.parametrize("how", [shutil.move, shutil.copytree])
def test_a_project_that_is_moved_or_copied_keeps_its_features(tmp_path, how):
    write_photos(tmp_path / "here", seed=0)
    corpus_in(tmp_path / "here").extract()

    how(tmp_path / "here", tmp_path / "there")

    report, computed = corpus_in(tmp_path / "there").extract()
    assert computed == {}
    assert report.counts["modalities"]["image"]["extracted"] == 10


def test_of_files_that_were_touched_those_that_changed_are_computed(tmp_path):
    write_photos(tmp_path / "v", seed=0)
    corpus = corpus_in(tmp_path / "v")
    corpus.extract()
    (tmp_path / "v" / "3.bmp").write_bytes(photo_payload(16, 12, seed=77, format="BMP"))
    for photo in (tmp_path / "v").glob("*.bmp"):
        os.utime(photo, ns=(0, 2_000))

    _, computed = corpus.extract()

    assert computed == {"image": ["s3"]}
    assert corpus.extract()[1] == {}


def test_later_stages_find_the_same_features_where_nothing_but_a_time_changed(tmp_path):
    write_photos(tmp_path / "v", seed=0)
    corpus = corpus_in(tmp_path / "v")
    before = corpus.extract()[0]
    (tmp_path / "v" / "3.bmp").chmod(0o600)

    after = corpus.extract()[0]

    assert after.skipped
    assert after.fingerprint == before.fingerprint


def test_another_extractor_uses_what_is_known_of_moved_files(tmp_path):
    write_photos(tmp_path / "here", seed=0)
    corpus_in(tmp_path / "here").extract()
    shutil.move(tmp_path / "here", tmp_path / "there")
    moved = corpus_in(tmp_path / "there")
    moved.extract()
    moved.modalities = {"image": PIXELS | {"extract": {"kind": "pixels", "height": 4, "width": 4}}}

    assert moved.extract()[1] == {"image": IDS}
    assert moved.extract()[1] == {}
