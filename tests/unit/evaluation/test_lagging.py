from mmray.config.task.metric import metric_named
from mmray.evaluation.lagging import LagWatch, advice_for
from tests.support.document import make_config

TASKS = {"digit": metric_named("accuracy"), "rate": metric_named("mae")}


ADVICE = "try 'train.balance'"


def epoch(text, audio, task="digit", metric="accuracy", error=0.01):
    """Metrics of an epoch; text and audio are (own metric, gain of the fusion over it)."""
    return {
        f"val/{task}/{name}/{what}": value
        for name, values in (("text", text), ("audio", audio))
        for what, value in zip((metric, "gain", "gain_error"), (*values, error), strict=True)
    }


def test_a_fusion_below_a_modality_for_two_epochs_is_told_once_with_who_lags_and_what_to_try():
    watch = LagWatch(TASKS, ("text", "audio"), ADVICE)
    below = epoch((0.3, 0.4), (0.75, -0.05))

    told = [watch.hear("fusion", below) for _ in range(4)]

    assert [len(lines) for lines in told] == [0, 1, 0, 0]
    assert told[1][0] == (
        "fusion: digit: for 2 epochs the fusion has been worse than one modality: accuracy on "
        "val is 5.0 points worse than that of audio; text alone is the weakest, with 0.300; "
        "try 'train.balance'"
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
    assert "mean absolute error on val is 0.25 worse than that of text; audio alone" in line


def test_runs_without_such_metrics_have_nothing_to_tell():
    watch = LagWatch(TASKS, ("text", "audio"))

    assert [watch.hear("text alone", {"val/digit/accuracy": 0.1}) for _ in range(3)] == [[]] * 3


def test_a_difference_within_its_noise_is_no_warning():
    watch = LagWatch(TASKS, ("text", "audio"))
    tiny = epoch((1.0, -1.884e-05), (1.2, 0.2), task="rate", metric="mae", error=0.01)
    unknown = {k: v for k, v in epoch((0.3, -0.4), (0.7, -0.1)).items() if "error" not in k}

    assert [watch.hear("a", tiny) + watch.hear("b", unknown) for _ in range(4)] == [[]] * 4


def test_advice_names_only_what_is_not_in_use():
    text = {"modalities": {"text": {"column": "note"}, "image": {"column": "photo"}}}

    def advice(**settings):
        return advice_for(make_config(**text, **settings))

    nothing = {"auxiliary": 0.0, "modality_dropout": 0.0}
    everything = "try 'train.balance' or 'model.auxiliary' or 'model.modality_dropout'"
    assert advice(model=nothing) == everything
    used = {"auxiliary": 1.0, "modality_dropout": 0.1}
    assert advice(model=used) == "try 'train.balance'"
    assert advice(model=used, train={"balance": {"kind": "ogm_ge"}}) == ""
    blended = {"balance": {"kind": "gradient_blending"}}
    assert advice(model=nothing, train=blended) == "try 'model.modality_dropout'"
