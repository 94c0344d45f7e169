"""Importances of parameters: found where they are, and refused where chance would decide."""

import math
import random

from mmray.search.importance import importances
from mmray.search.view.sentence import importance_sentences
from tests.support.trials import ACCURACY, LOSS, SIZE, drawn, trial


def searched(count, *, sign=1.0, size=None):
    """Return trials whose result follows from the learning rate, and from nothing else."""
    draw = random.Random(0)
    trials = []
    for number in range(1, count + 1):
        rate, fusion = 10 ** draw.uniform(-4, -1), draw.choice(["concat", "attention"])
        heads = {"model__fusion__attention__heads": draw.choice([2, 4])}
        values = [0.9 - sign * 0.1 * abs(math.log10(rate) + 2.5)]
        if size is not None:
            values.append(size(rate, fusion))
        settings = {"train__lr": rate, "model__fusion": fusion}
        trials.append(trial(number, *values, **settings, **heads if fusion == "attention" else {}))
    return trials


def test_the_parameter_that_decides_is_found_and_the_best_values_of_it(capfd):
    trials = searched(40)

    found = importances(trials, drawn(*trials), [ACCURACY])

    first = found.parameters[0]
    assert (first.name, found.trials, found.best) == ("train.lr", 40, 5)
    assert first.share > 0.5
    assert math.isclose(sum(each.share for each in found.parameters), 1.0)
    low, high = map(float, first.among_best.split(" to "))
    assert 10**-2.8 < low < 10**-2.5 < high < 10**-2.2
    assert capfd.readouterr().err == ""


def test_less_is_better_where_the_objective_says_so():
    trials = searched(40, sign=-1.0)

    found = importances(trials, drawn(*trials), [LOSS])

    low, high = map(float, found.parameters[0].among_best.split(" to "))
    assert found.parameters[0].name == "train.lr"
    assert 10**-2.8 < low < 10**-2.5 < high < 10**-2.2


def test_of_several_objectives_what_decides_is_being_near_the_front():
    trials = searched(60, size=lambda rate, fusion: {"concat": 100.0, "attention": 9000.0}[fusion])

    found = importances(trials, drawn(*trials), [ACCURACY, SIZE])

    shares = {each.name: each.share for each in found.parameters}
    assert shares["train.lr"] > 0
    assert shares["model.fusion"] > 0


def branches(count):
    """Return trials of two branches; the one with a parameter of its own is bad."""
    good = [trial(n, 0.9 - 0.01 * n, train__lr=0.01, model__fusion="concat") for n in range(1, 9)]
    settings = {"train__lr": 0.01, "model__fusion": "attention"}
    numbers = range(9, 9 + count)
    return good + [trial(n, 0.2, **settings, model__fusion__attention__heads=2) for n in numbers]


def test_a_parameter_of_a_branch_that_no_good_trial_chose_says_so():
    trials = branches(10)

    found = importances(trials, drawn(*trials), [ACCURACY])

    shown = {each.name: each.among_best for each in found.parameters}
    assert shown["model.fusion"] == "concat (5 of 5)"
    assert shown["model.fusion.attention.heads"] == "none has it"
    assert found.left_out == ()


def test_a_parameter_that_few_trials_have_is_left_out_and_named():
    trials = branches(9)

    found = importances(trials, drawn(*trials), [ACCURACY])

    assert "model.fusion.attention.heads" not in {each.name for each in found.parameters}
    assert math.isclose(sum(each.share for each in found.parameters), 1.0)
    assert importance_sentences(found)[-1] == (
        "  left out, as fewer than 10 trials have them: fusion.attention.heads"
    )


def test_too_few_trials_give_no_importances_but_a_reason():
    trials = [*searched(9), trial(10, state="failed", train__lr=0.01), trial(11, 0.5)]

    found = importances(trials, drawn(*trials), [ACCURACY])

    assert found.parameters == ()
    assert importance_sentences(found) == [
        "importances need 10 trials with a result, and there are 9"
    ]


def test_trials_stopped_early_count_and_running_ones_do_not():
    trials = searched(12)
    stopped = [trial(t.number, *t.values, state="stopped", **_settings(t)) for t in trials[:6]]
    running = [trial(t.number, *t.values, state="running", **_settings(t)) for t in trials[:6]]

    with_stopped = importances([*stopped, *trials[6:]], drawn(*trials), [ACCURACY])
    with_running = importances([*running, *trials[6:]], drawn(*trials), [ACCURACY])

    assert with_stopped == importances(trials, drawn(*trials), [ACCURACY])
    assert with_running.trials == 6


def _settings(record):
    return {name.replace(".", "__"): value for name, value in record.sample.items()}
