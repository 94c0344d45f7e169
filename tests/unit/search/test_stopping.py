"""Which trials are stopped early, from the curves of all."""

import pytest

from mmray.config.training.search import (
    AshaStopConfig,
    HyperbandStopConfig,
    MedianStopConfig,
    NoStopConfig,
)
from mmray.search.stopping import reason_to_stop

ASHA = AshaStopConfig(grace_epochs=2, reduction=3)
OTHERS = {1: [0.9, 0.5], 2: [0.9, 0.3], 3: [0.2, 0.4, 0.1, 0.1, 0.1, 0.1]}


def stopped(stop, curve, others=OTHERS, *, number=9, direction="max"):
    return reason_to_stop(stop, number, {**others, number: curve}, direction)


@pytest.mark.parametrize(
    ("curve", "expected"),
    [
        ([0.1], ""),  # not at a rung
        ([0.1, 0.95], ""),  # the best
        ([0.9, 0.2], ""),  # as good as the best until then
        ([0.1, 0.8], "not among the best 1 of 4 after epoch 2"),
        ([0.1, 0.8, 0.8], ""),  # between rungs
        ([0.1, 0.8, 0.8, 0.8, 0.8, 0.0], ""),  # the best that was reached counts
        ([0.1, 0.1, 0.1, 0.1, 0.1, 0.1], "not among the best 1 of 2 after epoch 6"),
    ],
)
def test_asha_compares_the_best_so_far_at_its_rungs(curve, expected):
    assert stopped(ASHA, curve) == expected


def test_of_losses_the_smallest_is_the_best():
    losses = {number: [-value for value in curve] for number, curve in OTHERS.items()}

    assert stopped(ASHA, [-0.1, -0.95], losses, direction="min") == ""
    assert stopped(ASHA, [-0.1, -0.8], losses, direction="min") != ""


def test_the_share_that_continues_grows_with_the_trials_at_a_rung():
    others = {number: [0.0, number / 10] for number in range(1, 6)}

    assert stopped(ASHA, [0.0, 0.45], others) == ""  # second of six
    assert stopped(ASHA, [0.0, 0.35], others) == "not among the best 2 of 6 after epoch 2"


def test_a_bracket_of_hyperband_has_its_own_rungs_and_rivals():
    stop = HyperbandStopConfig(grace_epochs=1, reduction=2, brackets=2)
    others = {1: [0.9, 0.9], 2: [0.9, 0.2], 3: [0.8, 0.8]}

    assert stopped(stop, [0.1], others, number=5) == "not among the best 1 of 3 after epoch 1"
    assert stopped(stop, [0.1], others, number=4) == ""
    assert stopped(stop, [0.1, 0.95], others, number=4) == ""
    assert stopped(stop, [0.1, 0.1], others, number=4) == "not among the best 1 of 2 after epoch 2"


def test_a_trial_below_the_median_of_enough_others_is_stopped():
    stop = MedianStopConfig(grace_epochs=2, trials=3)

    assert stopped(stop, [0.1]) == ""
    assert stopped(stop, [0.1, 0.9]) == ""
    assert stopped(stop, [0.1, 0.8]) == "worse than the median of 3 trials after epoch 2"
    assert stopped(stop, [0.1, 0.8, 0.0]) == ""  # too few reached that epoch
    assert stopped(NoStopConfig(), [0.0, 0.0]) == ""
