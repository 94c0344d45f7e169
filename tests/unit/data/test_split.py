from collections import Counter

import pytest

from mmray.config.data import SplitConfig
from mmray.core.word import Split
from mmray.data.split import split_by_hash

IDS = [f"sample-{number}" for number in range(2000)]


def test_the_shares_are_those_of_the_document():
    counts = Counter(split_by_hash(key, SplitConfig(train=0.6, val=0.3, test=0.1)) for key in IDS)

    assert counts[Split.TRAIN] == pytest.approx(1200, abs=80)
    assert counts[Split.VAL] == pytest.approx(600, abs=80)
    assert counts[Split.TEST] == pytest.approx(200, abs=60)


def test_a_split_is_the_same_on_every_machine():
    splits = [split_by_hash(key, SplitConfig()).value for key in IDS[:8]]

    assert splits == ["train", "train", "test", "train", "train", "train", "train", "train"]


def test_another_seed_gives_another_split():
    first, second = ([split_by_hash(key, SplitConfig(seed=s)) for key in IDS] for s in (1, 2))

    assert first != second


def test_a_larger_val_share_takes_samples_from_test_and_moves_no_train_sample():
    few, many = SplitConfig(val=0.1, test=0.1), SplitConfig(val=0.15, test=0.05)

    moves = Counter((split_by_hash(key, few), split_by_hash(key, many)) for key in IDS)

    changed = {pair for pair in moves if pair[0] != pair[1]}
    assert changed == {(Split.TEST, Split.VAL)}
