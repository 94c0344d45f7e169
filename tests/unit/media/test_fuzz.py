"""A small share of ``python -m benchmarks.fuzz``."""

import pytest

from benchmarks.fuzz.media import fuzz
from benchmarks.mutation import mutate
from benchmarks.specimen import SPECIMENS


@pytest.mark.parametrize("kind", SPECIMENS)
def test_damaged_files_are_decoded_or_rejected_and_nothing_else(kind):
    found = fuzz(kind, SPECIMENS[kind](), files=150)

    assert found["crashes"] == 0
    assert found["decoded"] + sum(found["rejected"].values()) == 150
    assert sum(found["rejected"].values()) > 20


def test_damage_is_the_same_every_time_and_other_for_another_seed():
    payload = bytes(range(256)) * 4

    assert mutate(payload, 1) == mutate(payload, 1)
    assert len({mutate(payload, seed) for seed in range(20)}) == 20
    assert payload == bytes(range(256)) * 4
