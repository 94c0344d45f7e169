"""A library that computes features has another version than the one that computed them."""

import pytest

from mmray.config.modality.image import ImageConfig
from mmray.config.modality.text import TextConfig
from mmray.features.extractor import ExtractedBatch
from mmray.features.libraries import libraries_of
from mmray.features.store import read_current, write_index, write_shard
from mmray.stages.extraction.other_libraries import describe_other_libraries
from tests.support.extraction import Corpus, notes
from tests.support.payload import photo_payload
from tests.support.sample import SPECS

PIXELS = {"column": "photo", "extract": {"kind": "pixels", "height": 8, "width": 8}}


def stored(folder, versions):
    """Write a shard of two samples for each version of pillow, and return the rows that count."""
    ids = []
    for number, pillow in enumerate(versions):
        part = [f"{number}-{each}" for each in range(2)]
        batch = ExtractedBatch([None, None], ["empty"] * 2, [""] * 2)
        made = {"libraries": {"pillow": pillow}} if pillow else None
        write_shard(folder, part, ["k", "k"], batch, SPECS["vector"], made=made)
        ids += part
    write_index(folder, dict.fromkeys(ids, "k"))
    return read_current(folder)


def test_features_of_another_version_are_counted_and_named(tmp_path):
    current = stored(tmp_path, ["12.0", "13.0", "12.0", "11.0"])

    old, newer = describe_other_libraries("image", current, {"pillow": "13.0"})

    assert "2 of 8 'image' features were computed with pillow 11.0, not with 13.0" in old
    assert "4 of 8" in newer
    assert str(tmp_path) in newer


@pytest.mark.parametrize("versions", [["13.0"], [None]], ids=["the same", "not told"])
def test_nothing_is_said_of_the_installed_version(tmp_path, versions):
    current = stored(tmp_path, versions)

    assert describe_other_libraries("image", current, {"pillow": "13.0"}) == ()


def test_an_extraction_stores_the_versions_of_what_computes(tmp_path):
    for number in range(10):
        (tmp_path / f"{number}.png").write_bytes(photo_payload(16, 12, seed=number))
    corpus = Corpus(tmp_path, notes(10, photo=lambda n: f"{n}.png"), image=PIXELS)
    corpus.extract()

    (told, *_) = [about["libraries"] for about in read_current(corpus.folders()["image"]).abouts]

    assert told == libraries_of(ImageConfig(column="photo"))
    assert {"pillow", "numpy"} <= set(told)


def test_only_what_an_extractor_uses_is_among_its_libraries():
    hashed = TextConfig(column="note", extract={"kind": "bow", "vocabulary": 9, "hashing": True})
    network = ImageConfig(column="photo", extract={"kind": "hf_image", "model": "./vit"})

    assert "torch" not in libraries_of(hashed)
    assert {"torch", "transformers", "pillow"} <= set(libraries_of(network))
