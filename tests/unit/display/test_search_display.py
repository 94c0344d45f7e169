"""How a search is shown while it runs: live at a terminal, a line per trial elsewhere."""

import logging
from io import StringIO

import pytest
from rich.console import Console

from mmray.display.search_display import SearchDisplay
from mmray.search.view.heading import SearchHeading
from tests.support.trials import ACCURACY, SIZE, trial


def heading(trials=24, minutes=None, objectives=(ACCURACY,)):
    return SearchHeading("digits", objectives, epochs=8, trials=trials, minutes=minutes)


class Clock:
    """Seconds that a test sets."""

    seconds = 100.0

    def __call__(self):
        return self.seconds


def shown(display, width=110):
    console = Console(file=StringIO(), width=width, color_system=None, force_terminal=True)
    console.print(display.render())
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def test_the_live_view_has_the_counts_the_best_the_time_left_and_the_running_trials():
    clock = Clock()
    display = SearchDisplay(heading(trials=10), clock=clock)
    for each in (
        trial(1, 0.88), trial(2, 0.93, train__lr=0.004), trial(3, 0.4, state="stopped", epochs=2),
        trial(4, state="failed"), trial(5, 0.7, state="running", epochs=4, train__lr=0.01),
        trial(6, state="running", epochs=0, train__lr=0.02),
    ):  # fmt: skip
        display.hear(each)
    clock.seconds += 70.0  # 3.5 of 10 trials after the first epoch was heard

    lines = shown(display)

    assert lines == [
        "trials   ███████████░░░░░░░░░░░░░  4 of 10, about 1 min 50 s left",
        "         2 running, 2 complete, 1 stopped early, 1 failed",
        "best     trial 2: digit accuracy (val) 0.9300, +5.0 points over the document",
        "         lr=0.004",
        "trial 5  epoch 4/8, digit accuracy (val) 0.7000; lr=0.01",
        "trial 6  epoch 0/8; lr=0.02",
    ]


def test_the_live_view_of_many_long_trials_fits_into_a_small_terminal():
    display = SearchDisplay(heading())
    for number in range(1, 20):
        display.hear(
            trial(number, 0.5, state="running", epochs=1, train__lr=0.1, model__x="y" * 50)
        )

    lines = shown(display, width=80)

    assert max(map(len, lines)) <= 80
    assert len(lines) == 11
    assert lines[-1].strip() == "and 13 more"


@pytest.mark.parametrize(
    ("trials", "minutes", "spent", "left"),
    [
        (11, None, 0.0, 40.0),  # one and a half took 10 s, six are left
        (11, 2.0, 0.0, 40.0),
        (11, 2.0, 80.0, 10.0),
        (None, 2.0, 80.0, 10.0),
        (100, 2.0, 95.0, 0.0),
    ],
)
def test_the_time_left_is_that_of_the_budget_which_ends_first(trials, minutes, spent, left):
    clock = Clock()
    earlier = [trial(1, 0.5), trial(2, 0.5), trial(3, 0.5)]
    display = SearchDisplay(heading(trials, minutes), earlier, spent_s=spent, clock=clock)

    display.hear(trial(4, state="running", epochs=0))
    clock.seconds += 20.0  # processes start
    display.hear(trial(4, 0.5, state="running", epochs=4))
    clock.seconds += 10.0
    for number in (4, 5):
        display.hear(trial(number, 0.5))

    assert display.time_left_s() == pytest.approx(left)


def test_the_time_left_is_unknown_before_the_first_epoch_and_nothing_after_the_last_trial():
    clock = Clock()
    display = SearchDisplay(heading(2, minutes=None), [trial(1, 0.5)], clock=clock)
    display.hear(trial(2, state="running", epochs=0))
    clock.seconds += 10.0

    assert display.time_left_s() is None
    display.hear(trial(2, 0.5, state="running", epochs=2))
    assert display.time_left_s() is None
    clock.seconds += 10.0
    display.hear(trial(2, 0.5, state="running", epochs=4))
    assert display.time_left_s() == pytest.approx(20.0)
    display.hear(trial(2, 0.5))
    assert display.time_left_s() is None
    assert shown(display)[0].endswith("  2 of 2")


def test_elsewhere_each_trial_that_ends_is_one_line_and_its_epochs_are_none(caplog):
    caplog.set_level(logging.INFO, "mmray")
    with SearchDisplay(heading(), [trial(1, 0.8)]) as display:
        for epochs in range(9):
            display.hear(trial(2, 0.85, state="running", epochs=epochs, train__lr=0.004))
        display.hear(trial(2, 0.85, train__lr=0.004))
        display.hear(
            trial(
                3, 0.4, state="stopped", epochs=2, reason="not among the best 1 of 3", train__lr=1.0
            )
        )
        display.hear(trial(4, state="failed", reason="out of memory"))

    assert [each.getMessage() for each in caplog.records] == [
        "trial 2 (2 of 24 done): digit accuracy (val) 0.8500 (best so far), 8 epochs in 12 s; "
        "lr=0.004",
        "trial 3 (3 of 24 done): digit accuracy (val) 0.4000, 2 epochs in 3.0 s, stopped: not "
        "among the best 1 of 3; lr=1",
    ]


def test_of_several_objectives_all_values_are_shown():
    display = SearchDisplay(heading(objectives=(ACCURACY, SIZE)))
    display.hear(trial(1, 0.9, 120_000.0))

    assert "best    trial 1: digit accuracy (val) 0.9000, parameters 120,000" in shown(display)
