"""What a search says of its trials."""

from types import SimpleNamespace

from mmray.stages.search import _best_of
from mmray.stages.searching.trial import trial_name


def test_a_trial_is_named_by_its_keys_without_their_section():
    sample = {
        "train.lr": 0.00123456,
        "model.fusion": "gated",
        "modalities.text.encode": "mlp",
        "modalities.audio.encode": "lstm",
        "tasks.digit.weight": 0.5,
    }

    assert trial_name(3, sample) == (
        "trial 03: lr=0.001235, fusion=gated, text.encode=mlp, audio.encode=lstm, digit.weight=0.5"
    )


def test_the_best_is_said_to_be_of_those_that_ran():
    results = [SimpleNamespace(best=0.5), SimpleNamespace(best=0.4), SimpleNamespace(best=None)]

    assert _best_of(results[:2]) == "best of 2 trials"
    assert _best_of(results) == "best of 2 trials, 1 failed"
