import json
import os
from importlib.metadata import version

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mmray.features.extractor import ExtractedBatch
from mmray.features.store import (
    find_gaps,
    read_current,
    read_features,
    read_index,
    write_index,
    write_shard,
)
from mmray.features.store.current import sum_tallies
from mmray.features.store.statistics import describe, measure, merge
from mmray.features.store.verify import find_misfits
from tests.support.sample import SPECS, make_values
from tests.support.stored import read_outcomes, stored_keys

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


def test_a_shard_says_itself_what_it_holds(tmp_path):
    folder = tmp_path / "0123456789abcdef"
    shard = write(folder, {"a": np.array([1, 2, 3, 0, 0, 0], np.float32), "b": None})

    metadata = pq.read_schema(shard).metadata

    assert json.loads(metadata[b"mmray.spec"]) == VECTOR.to_dict()
    assert json.loads(metadata[b"mmray.fingerprint"]) == "0123456789abcdef"
    assert json.loads(metadata[b"mmray.version"]) == version("mmray")
    statistics = json.loads(metadata[b"mmray.statistics"])
    assert (statistics["features"], statistics["mean"], statistics["zeros"]) == (1, 1, 3)


@pytest.mark.parametrize("layout", SPECS)
def test_features_are_rebuilt_with_pandas_alone_from_what_the_files_say(tmp_path, layout):
    spec = SPECS[layout]
    first, second, third = (make_feature(spec, seed, steps=seed) for seed in (2, 3, 4))
    write(tmp_path, {"a": first, "b": None, "c": third}, spec, age=60)
    shard = write(tmp_path, {"a": second}, spec, version="v2")
    write_index(tmp_path, {"a": "a-v2", "b": "b-v1", "c": "c-v1"})

    index = pd.read_parquet(tmp_path / "index.parquet").query("reason == ''")
    shards = pd.concat(map(pd.read_parquet, tmp_path.glob("shard-*.parquet")))
    rows = index.merge(shards, on=["sample_id", "key", "reason", "length"]).set_index("sample_id")
    shape = json.loads(pq.read_schema(shard).metadata[b"mmray.spec"])["shape"]

    assert sorted(rows.index) == ["a", "c"]
    for sample, expected in (("a", second), ("c", third)):
        feature = rows["feature"][sample].reshape(rows["length"][sample], *shape[1:])
        np.testing.assert_array_equal(feature, expected)


@pytest.mark.parametrize("layout", SPECS)
def test_duckdb_joins_index_and_shards(tmp_path, layout):
    feature = make_feature(SPECS[layout], 1, steps=3)
    write(tmp_path, {"a": feature, "b": None}, SPECS[layout])
    index(tmp_path, ["a", "b"])

    rows = duckdb.sql(
        f"SELECT sample_id, feature FROM '{tmp_path}/index.parquet'"
        f" JOIN '{tmp_path}/shard-*.parquet' USING (sample_id, key, reason) WHERE reason = ''"
    ).fetchall()

    assert [sample for sample, _ in rows] == ["a"]
    np.testing.assert_array_equal(rows[0][1], feature.ravel())


@pytest.mark.parametrize("layout", SPECS)
def test_shards_and_an_index_of_the_first_layout_are_still_read(tmp_path, layout):
    spec = SPECS[layout]
    feature = make_feature(spec, 1, steps=3)
    shard = write(tmp_path, {"a": feature, "b": None}, spec)
    index(tmp_path, ["b", "a"])
    for path, columns in (
        (shard, ["sample_id", "key", "reason", "detail", "feature"]),
        (tmp_path / "index.parquet", ["sample_id", "key"]),
    ):
        table = pq.read_table(path, columns=columns).replace_schema_metadata(None)
        pq.write_table(table, path)

    stored = read_features(tmp_path, ["b", "a"], spec)

    assert stored.present.tolist() == [False, True]
    np.testing.assert_array_equal(stored.values.ravel()[-feature.size :], feature.ravel())
    assert read_outcomes(tmp_path)["b"] == ("too_large", "why too_large")
    assert sum_tallies(read_current(tmp_path, ["tally"]).table) == {}


def gaps_of(folder, wanted, **options):
    gaps = find_gaps(folder, wanted, **options)
    return gaps.new, gaps.changed, gaps.again


def test_gaps_are_new_and_changed_samples_and_those_that_another_limit_may_let_through(tmp_path):
    batch = ExtractedBatch(
        [None, None, make_feature(VECTOR, 1)], ["too_large", "empty", ""], [""] * 3
    )
    limits = {"allow": [], "max_payload_bytes": 10, "max_decode_s": 1.0}
    write_shard(tmp_path, ["a", "b", "c"], ["1", "1", "1"], batch, VECTOR, made={"limits": limits})
    wanted = {"a": "1", "b": "1", "c": "2", "d": "1"}

    assert gaps_of(tmp_path, wanted, limits=limits) == (["d"], ["c"], [])
    assert gaps_of(tmp_path, wanted, limits=limits | {"max_payload_bytes": 20})[2] == ["a"]
    assert gaps_of(tmp_path, wanted, limits=limits | {"max_decode_s": 2.0})[2] == []
    assert gaps_of(tmp_path, wanted, retry=True)[2] == ["a", "b"]


@pytest.mark.parametrize(
    ("layout", "feature", "what"),
    [
        ("vector", np.zeros(5, np.float32), "a feature of 5 values does not fit vector (6)"),
        ("vector", np.array([0, 0, 0, 0, 0, np.nan], np.float32), "infinite or not a number"),
        ("sequence", np.zeros(65, np.float32), "does not fit sequence (T<=12, F=5)"),
        ("sequence", np.zeros(0, np.float32), "does not fit sequence"),
        ("tokens", np.array([1, 20], np.int32), "a token id is not below 20"),
        ("tokens", np.array([1, 2], np.float32), "not lists of int32"),
    ],
)
def test_what_does_not_fit_the_spec_is_found(layout, feature, what):
    columns = {"reason": ["", "empty"], "feature": pa.array([feature, None])}

    misfits = list(find_misfits(pa.table(columns), SPECS[layout]))

    assert len(misfits) == 1
    assert what in misfits[0]


def test_statistics_of_pieces_are_those_of_the_whole():
    spec = SPECS["sequence"]
    features = [make_feature(spec, seed, steps=seed) for seed in range(1, 9)]
    features[2][:] = 0
    columns = [pa.array([f.ravel() for f in part]) for part in (features[:3], features[3:])]
    flat = np.concatenate(features).astype(np.float64)

    told = describe(merge(measure(column, spec) for column in columns), spec)

    assert told["length"] == {"min": 1, "mean": 4.5, "max": 8}
    assert told["mean"] == pytest.approx(flat.mean(), abs=1e-12)
    assert told["std"] == pytest.approx(flat.std(), abs=1e-12)
    assert (told["min"], told["max"]) == (flat.min(), flat.max())
    assert told["zeros"] == pytest.approx(15 / flat.size)


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
