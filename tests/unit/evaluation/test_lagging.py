import pytest

from mmray.evaluation.lagging import LagWatch, compare

TASKS = {"digit": "accuracy", "rate": "mae"}


def epoch(text, audio, task="digit", metric="accuracy"):
    """Metrics of an epoch; text and audio are (own metric, gain of the fusion over it)."""
    return {
        f"val/{task}/{name}/{what}": value
        for name, values in (("text", text), ("audio", audio))
        for what, value in zip((metric, "gain"), values, strict=True)
    }


def test_a_fusion_below_a_modality_for_two_epochs_is_told_once_with_who_lags_and_what_to_try():
    watch = LagWatch(TASKS, ("text", "audio"))
    below = epoch((0.3, 0.4), (0.75, -0.05))

    told = [watch.hear("fusion", below) for _ in range(4)]

    assert [len(lines) for lines in told] == [0, 1, 0, 0]
    assert told[1][0] == (
        "fusion: digit: for 2 epochs the fusion has been worse than a modality alone: accuracy on "
        "val is -5.0 points beside audio; text is furthest behind alone, with 0.300; "
        "try 'train.balance', 'model.auxiliary' or 'model.modality_dropout'"
    )


def test_one_bad_epoch_is_an_accident_and_each_run_is_watched_on_its_own():
    watch = LagWatch(TASKS, ("text", "audio"))
    below, above = epoch((0.3, 0.4), (0.75, -0.05)), epoch((0.3, 0.4), (0.6, 0.1))

    told = [watch.hear(run, each) for each in (below, above, below) for run in ("a", "b")]
    told += [watch.hear("a", below)]

    assert [len(lines) for lines in told] == [0] * 6 + [1]


def test_of_errors_the_largest_lags():
    watch = LagWatch(TASKS, ("text", "audio"))
    below = epoch((0.5, -0.25), (2.0, 1.25), task="rate", metric="mae")

    watch.hear("fusion", below)

    (line,) = watch.hear("fusion", below)
    assert "mae on val is -0.25 beside text; audio is furthest behind alone, with 2.000" in line


def test_runs_without_such_metrics_have_nothing_to_tell():
    watch = LagWatch(TASKS, ("text", "audio"))

    assert [watch.hear("text alone", {"val/digit/accuracy": 0.1}) for _ in range(3)] == [[]] * 3


def test_an_evaluation_names_the_modality_that_lost_most_in_the_joint_model():
    scores = {"fusion": 0.6, "text": 0.58, "audio": 0.65}

    found = compare("digit", "accuracy", scores, {"text": 0.57, "audio": 0.4})

    assert found == (
        "warning: digit: fusion is not better than audio alone: -5.0 points; "
        "audio lags: 0.4000 alone in the joint model, 0.6500 trained alone; "
        "try 'train.balance', 'model.auxiliary' or 'model.modality_dropout'"
    )


@pytest.mark.parametrize(
    ("metric", "scores", "expected"),
    [
        ("accuracy", {"fusion": 0.7, "text": 0.6}, "than the best modality, text: +10.0 points"),
        ("mae", {"fusion": 1.0, "text": 2.0, "audio": 1.5}, "the best modality, audio: +0.5"),
        ("mae", {"fusion": 2.0, "text": 2.0}, "warning: t: fusion is not better than text alone"),
    ],
)  # fmt: skip
def test_better_is_larger_or_smaller_as_the_metric_says(metric, scores, expected):
    assert expected in compare("t", metric, scores)


def test_without_a_modality_trained_alone_there_is_nothing_to_compare():
    assert compare("t", "accuracy", {"fusion": 0.7}) is None
