from collections import Counter

import numpy as np
import pyarrow as pa
import pytest

from mmray.config.data import SplitConfig
from mmray.core.kind import Split
from mmray.data.manifest.column import Column
from mmray.data.split.split import assign_splits

SHARES = {"train": 0.6, "val": 0.2, "test": 0.2}


def column(cells, kind=None):
    return Column(pa.array(cells, kind))


def ids(count):
    return [f"sample-{number}" for number in range(count)]


def split(keys, *labels, **config):
    named = {f"task {number}": column(cells) for number, cells in enumerate(labels)}
    return assign_splits(column(keys, pa.string()), named, SplitConfig(**config))


def sizes(splits, of=None):
    """Return the sizes of train, val and test; ``of`` some rows."""
    kept = splits if of is None else [s for s, is_kept in zip(splits, of, strict=True) if is_kept]
    counts = Counter(kept)
    return [counts[name] for name in Split]


def classes(count, *shares, seed=0):
    return np.random.default_rng(seed).choice(list("abcdefghij")[: len(shares)], count, p=shares)


@pytest.mark.parametrize("seed", range(8))
def test_splits_have_the_sizes_asked_for(seed):
    assert sizes(split(ids(260), classes(260, 0.5, 0.5), seed=seed)) == [208, 26, 26]
    assert sizes(split(ids(10), seed=seed)) == [8, 1, 1]
    assert sizes(split(ids(1), seed=seed)) == [1, 0, 0]


@pytest.mark.parametrize("seed", range(8))
def test_every_class_has_its_share_of_every_split(seed):
    labels = classes(200, 0.6, 0.3, 0.1, seed=seed)

    splits = split(ids(200), labels, seed=seed, **SHARES)

    for name in "abc":
        wanted = np.array([0.6, 0.2, 0.2]) * (labels == name).sum()
        assert np.abs(sizes(splits, labels == name) - wanted).max() < 2


@pytest.mark.parametrize("seed", range(8))
def test_a_class_of_one_or_two_samples_is_in_train(seed):
    labels = ["rare", "two", "two", *classes(57, 0.5, 0.5)]

    splits = split(ids(60), labels, seed=seed, **SHARES)

    assert splits[0] == Split.TRAIN
    assert Split.TRAIN in splits[1:3]


@pytest.mark.parametrize("seed", range(8))
def test_three_rows_of_two_classes_can_be_learnt(seed):
    splits = split(["a1", "a2", "a3"], ["cat", "dog", "cat"], seed=seed)

    assert splits[1] == Split.TRAIN
    assert sizes(splits)[0] == 2


@pytest.mark.parametrize("seed", range(8))
def test_no_split_is_empty_while_there_are_enough_groups(seed):
    speakers = [f"speaker {row % 6}" for row in range(240)]

    assert sizes(split(speakers, [str(row % 10) for row in range(240)], seed=seed)) == [160, 40, 40]
    assert sizes(split(["a", "b", "c"] * 30, seed=seed)) == [30, 30, 30]
    assert sizes(split(["a", "b"] * 30, seed=seed))[0] == 30


@pytest.mark.parametrize("seed", range(8))
def test_groups_stay_together_and_splits_are_as_even_as_they_allow(seed):
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(44), rng.integers(1, 20, 44))
    labels = np.where(rng.random(len(groups)) < 0.2, "ill", "well")

    splits = split(groups.astype(str), labels, seed=seed, **SHARES)

    by_group = {group: {splits[row] for row in np.flatnonzero(groups == group)} for group in groups}
    assert all(len(found) == 1 for found in by_group.values())
    for rows in (groups >= 0, labels == "ill"):
        wanted = np.array([0.6, 0.2, 0.2]) * rows.sum()
        assert np.abs(sizes(splits, rows) - wanted).max() < 5


def test_all_tasks_and_all_tags_count():
    rng = np.random.default_rng(0)
    tags = [[name for name in "xyz" if rng.random() < 0.05] or None for _ in range(300)]
    marks = [str(number) if number < 3 else None for number in rng.integers(0, 30, 300)]
    prices = rng.lognormal(size=300)

    splits = split(ids(300), tags, marks, prices, **SHARES)

    rows = [[name in (cell or ()) for cell in tags] for name in "xyz"]
    rows += [[mark == str(number) for mark in marks] for number in range(3)]
    rows += [list(prices < np.median(prices))]
    for own in rows:
        assert np.abs(sizes(splits, own) - np.array([0.6, 0.2, 0.2]) * sum(own)).max() < 2.5


@pytest.mark.parametrize("by", ["labels", "hash"])
def test_splits_follow_from_ids_and_seed_and_not_from_the_order(by):
    labels = classes(500, 0.7, 0.2, 0.1)
    order = np.random.default_rng(1).permutation(500)

    splits = split(ids(500), labels, by=by)
    moved = split(np.array(ids(500))[order], labels[order], by=by)

    assert [splits[row] for row in order] == moved
    assert split(ids(500), labels, by=by, seed=8) != splits


def test_a_split_is_the_same_on_every_machine():
    splits = [name.value for name in split(ids(8), by="hash")]

    assert splits == ["train", "train", "test", "train", "train", "train", "train", "train"]


def test_by_hash_no_sample_moves_when_others_are_added():
    assert split(ids(900), by="hash")[:300] == split(ids(300), by="hash")


def test_few_samples_move_when_others_are_added():
    labels = classes(2020, *[0.1] * 10)

    few, many = split(ids(2000), labels[:2000]), split(ids(2020), labels)

    assert sum(a != b for a, b in zip(few, many, strict=False)) <= 20


def test_a_share_of_nothing_gives_no_sample():
    assert sizes(split(ids(200), train=0.5, val=0.5, test=0.0))[2] == 0
    assert sizes(split(ids(200), train=1.0, val=0.0, test=0.0)) == [200, 0, 0]
    assert sizes(split(ids(200), train=1 - 5e-7, val=0.0, test=0.0, by="hash")) == [200, 0, 0]


@pytest.mark.parametrize("seed", range(8))
def test_a_quarter_without_numbers_changes_nothing(seed):
    numbers, names = [1.0] * 75 + [2.0] * 25, ["a"] * 75 + ["b"] * 25

    assert split(ids(100), numbers, seed=seed) == split(ids(100), names, seed=seed)
