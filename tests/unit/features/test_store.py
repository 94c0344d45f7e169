import os

import numpy as np
import pandas as pd
import pytest

from mmray.features.extractor import ExtractedBatch
from mmray.features.store import (
    read_features,
    read_index,
    read_outcomes,
    stored_keys,
    write_index,
    write_shard,
)
from tests.support.sample import SPECS, make_values

VECTOR = SPECS["vector"]


def make_feature(spec, seed, steps=3):
    shape = (steps, *spec.shape[1:]) if spec.is_ragged else spec.shape
    return make_values(spec, np.random.default_rng(seed), shape)


def write(folder, features, spec=VECTOR, *, version="v1", age=0, reasons=None):
    """Write a shard of sample -> feature (None: rejected) that is ``age`` seconds old."""
    keys = [f"{sample}-{version}" for sample in features]
    rejected = reasons or ["" if f is not None else "too_large" for f in features.values()]
    batch = ExtractedBatch(list(features.values()), rejected, [f"why {r}" for r in rejected])
    path = write_shard(folder, list(features), keys, batch, spec)
    written = path.stat().st_mtime - age
    os.utime(path, (written, written))
    return path


def index(folder, samples, version="v1"):
    write_index(folder, {sample: f"{sample}-{version}" for sample in samples})


@pytest.mark.parametrize("layout", SPECS)
def test_features_come_back_in_the_wanted_order_with_rejected_and_unknown_ones_absent(
    tmp_path, layout
):
    spec = SPECS[layout]
    a, b, c = (make_feature(spec, seed, steps=seed) for seed in (1, 5, 12))
    write(tmp_path, {"a": a, "rejected": None, "b": b}, spec)
    write(tmp_path, {"c": c}, spec)
    index(tmp_path, ["a", "rejected", "b", "c"])

    stored = read_features(tmp_path, ["c", "unknown", "a", "rejected", "b"], spec)

    assert stored.present.tolist() == [True, False, True, False, True]
    assert stored.values.dtype == spec.dtype
    if stored.offsets is None:
        nothing = np.zeros(spec.shape)
        np.testing.assert_array_equal(stored.values, np.stack([c, nothing, a, nothing, b]))
    else:
        assert stored.offsets.tolist() == [0, 12, 12, 13, 13, 18]
        np.testing.assert_array_equal(stored.values, np.concatenate([c, a, b]))


@pytest.mark.parametrize("layout", SPECS)
def test_with_nothing_stored_every_sample_is_absent(tmp_path, layout):
    spec = SPECS[layout]
    index(tmp_path, [])

    stored = read_features(tmp_path, ["a", "b"], spec)

    assert stored.present.tolist() == [False, False]
    assert stored.values.shape == ((0, *spec.shape[1:]) if spec.is_ragged else (2, *spec.shape))
    assert not stored.values.any()


@pytest.mark.parametrize("ages", [(60, 0), (0, 60)])
def test_the_version_in_the_index_counts_whichever_shard_is_newer(tmp_path, ages):
    old, new = make_feature(VECTOR, 1), make_feature(VECTOR, 2)
    write(tmp_path, {"a": old}, version="v1", age=ages[0])
    write(tmp_path, {"a": new}, version="v2", age=ages[1])
    index(tmp_path, ["a"], version="v2")

    stored = read_features(tmp_path, ["a"], VECTOR)

    np.testing.assert_array_equal(stored.values, [new])


def test_the_newest_version_of_a_sample_is_the_one_that_is_stored(tmp_path):
    write(tmp_path, {"a": make_feature(VECTOR, 2)}, version="v2", age=0)
    write(tmp_path, {"a": make_feature(VECTOR, 1), "b": None}, version="v1", age=60)

    assert stored_keys(tmp_path) == {"a": "a-v2", "b": "b-v1"}


def test_a_sample_that_left_the_index_is_absent(tmp_path):
    write(tmp_path, {"a": make_feature(VECTOR, 1), "b": make_feature(VECTOR, 2)})
    index(tmp_path, ["b"])

    stored = read_features(tmp_path, ["a", "b"], VECTOR)

    assert stored.present.tolist() == [False, True]
    assert read_index(tmp_path) == {"b": "b-v1"}


def test_outcomes_are_those_of_the_index_with_reason_and_detail(tmp_path):
    write(tmp_path, {"a": make_feature(VECTOR, 1), "b": None}, age=60)
    write(tmp_path, {"b": None, "c": None}, version="v2", reasons=["empty", "not_found"])
    write_index(tmp_path, {"a": "a-v1", "b": "b-v2"})

    outcomes = read_outcomes(tmp_path)

    assert outcomes == {"a": ("", "why "), "b": ("empty", "why empty")}


def test_a_file_that_is_still_being_written_is_never_read(tmp_path):
    shard = write(tmp_path, {"a": make_feature(VECTOR, 1)})
    shard.rename(tmp_path / f".{shard.name}.0a1b2c3d.tmp")
    (tmp_path / ".shard-2.parquet.0a1b2c3d.tmp").write_bytes(b"PAR1 half")
    index(tmp_path, ["a"])

    assert stored_keys(tmp_path) == {}
    assert read_outcomes(tmp_path) == {}
    assert not read_features(tmp_path, ["a"], VECTOR).present.any()


def test_the_same_samples_and_versions_give_the_same_file(tmp_path):
    features = {"a": make_feature(VECTOR, 1), "b": make_feature(VECTOR, 2)}

    first = write(tmp_path, features)
    again = write(tmp_path, dict(reversed(features.items())))
    other = write(tmp_path, features, version="v2")

    assert first == again != other
    assert sorted(tmp_path.iterdir()) == sorted([first, other])


@pytest.mark.parametrize("layout", SPECS)
def test_a_shard_is_a_table_that_pandas_reads(tmp_path, layout):
    spec = SPECS[layout]
    feature = make_feature(spec, 1)
    shard = write(tmp_path, {"a": feature, "b": None}, spec)

    frame = pd.read_parquet(shard)

    assert frame["sample_id"].tolist() == ["a", "b"]
    assert frame["reason"].tolist() == ["", "too_large"]
    np.testing.assert_array_equal(frame["feature"][0], feature.ravel())
    assert frame["feature"][1] is None
