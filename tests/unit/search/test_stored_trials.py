"""The trials stored for ``benchmarks.search_regret``, which outlive the code that made them."""

from benchmarks.search_regret.collect import DOCUMENT, load_trials
from mmray.config.reading.load import load_config
from mmray.search.space import contains, parameters


def test_the_stored_trials_lie_in_the_space_of_their_document():
    known = parameters(load_config(DOCUMENT, []).search_section().space)
    trials = load_trials()

    outside = [
        (trial["number"], name, value)
        for trial in trials
        for name, value in trial["sample"].items()
        if name not in known or not contains(known[name], value)
    ]

    assert len(trials) >= 200
    assert outside == []
