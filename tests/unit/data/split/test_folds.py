from collections import Counter
from dataclasses import replace
from itertools import chain

import numpy as np
import pytest

from mmray.core.kind import Split
from mmray.data.manifest.manifest import Manifest, read_manifest, write_manifest
from mmray.data.split.folds import fold_manifest
from mmray.errors import ManifestError


def make_manifest(labels, *, groups=None, test=0):
    """The first ``test`` rows are the test split; of the others every eighth is in val."""
    count = len(labels)
    splits = [Split.VAL if row % 8 == 0 else Split.TRAIN for row in range(count)]
    splits[:test] = [Split.TEST] * test
    ids = [f"sample-{row}" for row in range(count)]
    return Manifest("/corpus", ids, splits, {}, {"label": list(labels)}, groups)


def val_rows(manifest, folds):
    return [fold_manifest(manifest, fold, folds).rows_of(Split.VAL) for fold in range(folds)]


def classes(count, *shares, seed=0):
    return np.random.default_rng(seed).choice(list("abcdef")[: len(shares)], count, p=shares)


def test_every_sample_of_train_and_val_is_evaluated_once_and_no_test_sample_ever():
    manifest = make_manifest(classes(130, 0.5, 0.5), test=30)

    rows = val_rows(manifest, 5)

    assert sorted(chain(*rows)) == list(range(30, 130))
    assert [len(each) for each in rows] == [20] * 5
    for fold in range(5):
        found = fold_manifest(manifest, fold, 5)
        assert found.rows_of(Split.TEST) == list(range(30))
        assert set(found.rows_of(Split.TRAIN)) == set(range(30, 130)) - set(rows[fold])


@pytest.mark.parametrize("seed", range(4))
def test_every_class_has_its_share_of_every_fold(seed):
    labels = classes(200, 0.6, 0.3, 0.1, seed=seed)

    for rows in val_rows(make_manifest(labels), 4):
        for name in "abc":
            assert abs((labels[rows] == name).sum() - (labels == name).sum() / 4) < 2


@pytest.mark.parametrize("seed", range(4))
def test_a_group_is_in_one_fold_only(seed):
    generator = np.random.default_rng(seed)
    groups = [f"speaker {number}" for number in generator.integers(0, 23, 240)]
    manifest = make_manifest(classes(240, 0.5, 0.5), groups=groups)

    rows = val_rows(manifest, 4)

    found = Counter(group for each in rows for group in {groups[row] for row in each})
    assert set(found.values()) == {1}
    assert max(map(len, rows)) - min(map(len, rows)) < 25


@pytest.mark.parametrize("seed", range(4))
def test_every_class_is_in_train_in_every_fold(seed):
    labels = ["rare", "two", "two", *classes(57, 0.5, 0.4, 0.1, seed=seed)]
    manifest = make_manifest(labels)

    for fold in range(5):
        rows = fold_manifest(manifest, fold, 5).rows_of(Split.TRAIN)
        assert {labels[row] for row in rows} == set(labels)


def test_a_class_of_one_group_trains_always():
    groups = ["only", "only", "only", *(f"other {row}" for row in range(37))]
    manifest = make_manifest(["rare"] * 3 + ["common"] * 37, groups=groups)

    assert sorted(chain(*val_rows(manifest, 3))) == list(range(3, 40))


def test_folds_follow_from_ids_and_not_from_the_order_of_rows():
    manifest = make_manifest(classes(90, 0.7, 0.3))
    order = np.random.default_rng(1).permutation(90)
    moved = replace(
        manifest,
        ids=[manifest.ids[row] for row in order],
        splits=[manifest.splits[row] for row in order],
        labels={"label": [manifest.labels["label"][row] for row in order]},
    )

    def evaluated(of):
        return {of.ids[row] for row in fold_manifest(of, 1, 3).rows_of(Split.VAL)}

    assert evaluated(moved) == evaluated(manifest)


def test_a_manifest_from_disk_has_the_same_folds(tmp_path):
    groups = [f"g{row % 11}" for row in range(60)]
    labels = [None if row % 7 == 0 else float(row) for row in range(60)]
    manifest = make_manifest(labels, groups=groups, test=6)
    write_manifest(manifest, tmp_path / "m.parquet")

    assert val_rows(read_manifest(tmp_path / "m.parquet"), 3) == val_rows(manifest, 3)


def test_more_folds_than_groups_are_refused():
    manifest = make_manifest(["a", "b"] * 4, groups=["x", "y"] * 4)

    with pytest.raises(ManifestError, match=r"2 samples or groups of samples.*3 folds"):
        fold_manifest(manifest, 0, 3)
