"""Stored features that are not what was written: never trained on."""

import os

import numpy as np
import pyarrow.parquet as pq
import pytest

from mmray.errors import ExtractionError
from mmray.features.spec import spec_of
from mmray.features.store import read_features
from tests.support.extraction import Corpus, notes

HASHED = {"column": "note", "extract": {"kind": "bow", "vocabulary": 50, "hashing": True}}


def flip(path, bit, *, keep_time=True):
    times = path.stat().st_atime_ns, path.stat().st_mtime_ns
    content = bytearray(path.read_bytes())
    content[bit // 8] ^= 1 << bit % 8
    path.write_bytes(content)
    if keep_time:
        os.utime(path, ns=times)


@pytest.fixture
def corpus(tmp_path):
    corpus = Corpus(tmp_path, notes(10), text=HASHED)
    corpus.extract()
    return corpus


def read(corpus, samples=10):
    spec = spec_of(corpus.config.modalities["text"])
    return read_features(corpus.folders()["text"], [f"s{n}" for n in range(samples)], spec).values


def samples_in(path):
    return pq.read_table(path)["sample_id"].to_pylist()


@pytest.mark.parametrize("name", ["shard-*.parquet", "index.parquet"])
def test_no_flipped_bit_is_trained_on(corpus, name):
    path = min(corpus.folders()["text"].glob(name))
    bits = np.random.default_rng(0).choice(8 * path.stat().st_size, 40, replace=False).tolist()

    for bit in bits:
        flip(path, bit)
        with pytest.raises(ExtractionError, match="is not what was written") as caught:
            read(corpus)
        flip(path, bit)

    assert caught.value.where == str(path)
    assert "delete this file" in caught.value.hint
    assert read(corpus).any()


def test_a_damaged_shard_that_is_deleted_as_the_hint_says_is_made_again(corpus):
    before = read(corpus)
    path = min(corpus.folders()["text"].glob("shard-*.parquet"))
    held = samples_in(path)
    path.unlink()

    assert corpus.extract()[1] == {"text": held}
    np.testing.assert_array_equal(read(corpus), before)


@pytest.mark.parametrize("damage", ["flip", "cut"])
def test_an_extraction_that_adds_samples_does_not_take_a_changed_shard_for_good(
    corpus, damage, caplog
):
    before = read(corpus)
    path = min(corpus.folders()["text"].glob("shard-*.parquet"))
    held = samples_in(path)
    if damage == "cut":
        os.truncate(path, 100)
    else:
        flip(path, 8 * path.stat().st_size // 2, keep_time=False)
    corpus.write(notes(12))

    assert corpus.extract()[1] == {"text": [*held, "s10", "s11"]}
    np.testing.assert_array_equal(read(corpus), before)
    assert "not what was written" in caplog.text
