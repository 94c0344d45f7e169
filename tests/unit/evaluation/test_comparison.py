import numpy as np
import pytest

from mmray.config.document import EvaluationConfig
from mmray.config.task.metric import metric_named
from mmray.evaluation.comparison import best_of, compare, paired_shares, summarise
from mmray.evaluation.evaluate import EvaluationResult

CONFIG = EvaluationConfig(resamples=400)


def shares(*hits):
    """Trainings that are right about these samples."""
    return [_evaluated(np.asarray(each, dtype=np.float64)) for each in hits]


def _evaluated(values):
    return EvaluationResult({}, {}, len(values), lambda rows: float(values[rows].mean()))


def right(count, samples):
    return np.arange(samples) < count


def test_one_more_right_of_sixteen_shows_nothing():
    found = compare(shares(right(16, 16)), shares(right(15, 16)), metric_named("accuracy"), CONFIG)

    assert found.value == pytest.approx(1 / 16)
    assert found.interval[0] < 0 < found.interval[1]
    assert found.verdict == "not shown"


def test_two_models_that_never_differ_have_an_interval_with_a_width():
    found = compare(shares(right(16, 16)), shares(right(16, 16)), metric_named("accuracy"), CONFIG)

    assert found.interval[0] < -0.1 < 0.1 < found.interval[1]


@pytest.mark.parametrize(
    ("ours", "others", "verdict"), [(90, 60, "better"), (60, 90, "worse"), (80, 78, "not shown")]
)
def test_a_clear_difference_is_shown(ours, others, verdict):
    found = compare(
        shares(right(ours, 100)), shares(right(others, 100)), metric_named("accuracy"), CONFIG
    )

    assert found.verdict == verdict


def test_of_errors_the_smaller_is_better():
    generator = np.random.default_rng(0)
    errors = generator.random(200) + 0.2
    small, large = _evaluated(errors), _evaluated(errors + 0.1 * generator.random(200))

    found = compare([small], [large], metric_named("mae"), CONFIG)

    assert found.verdict == "better"
    assert found.value == pytest.approx(0.05, abs=0.01)
    assert compare([large], [small], metric_named("mae"), CONFIG).verdict == "worse"


def test_models_evaluated_on_the_same_samples_are_compared_sample_by_sample():
    base = np.random.default_rng(0).random(100) * 10

    found = compare([_evaluated(base)], [_evaluated(base + 0.01)], metric_named("mae"), CONFIG)

    assert found.interval == pytest.approx((0.01, 0.01))


def test_trainings_that_differ_among_themselves_make_a_difference_less_certain():
    alike = compare(
        shares(*[right(80, 100)] * 3),
        shares(*[right(62, 100)] * 3),
        metric_named("accuracy"),
        CONFIG,
    )
    spread = compare(
        shares(right(60, 100), right(80, 100), right(100, 100)),
        shares(right(42, 100), right(62, 100), right(82, 100)),
        metric_named("accuracy"),
        CONFIG,
    )

    assert spread.value == pytest.approx(alike.value)
    assert (alike.verdict, spread.verdict) == ("better", "not shown")


def test_intervals_of_paired_shares_hold_the_truth_as_often_as_they_say():
    generator, held = np.random.default_rng(0), []
    for _ in range(1500):
        hard = generator.random(
            40
        )  # both models fail on the same samples more often than by chance
        ours = (generator.random(40) < 0.95 - 0.3 * (hard > 0.6)).astype(float)
        others = (generator.random(40) < 0.85 - 0.3 * (hard > 0.6)).astype(float)
        low, high = paired_shares(ours, others, confidence=0.95)
        held.append(low <= 0.10 <= high)

    assert np.mean(held) > 0.94


def test_a_figure_is_the_mean_of_its_trainings_with_their_deviation():
    found = summarise(shares(right(8, 10), right(6, 10)), metric_named("accuracy"), CONFIG)

    assert found.value == pytest.approx(0.7)
    assert found.deviation == pytest.approx(0.2 / np.sqrt(2))
    assert (found.samples, found.trainings) == (10, 2)
    assert found.interval == pytest.approx((0.397, 0.892), abs=1e-3)


def test_the_best_is_the_largest_share_and_the_smallest_error():
    figures = {
        name: summarise(shares(right(count, 10)), metric_named("accuracy"), CONFIG)
        for name, count in (("fusion", 9), ("text", 5), ("image", 7))
    }
    errors = {
        name: summarise([_evaluated(np.full(5, error))], metric_named("mae"), CONFIG)
        for name, error in (("fusion", 1.0), ("text", 2.0), ("image", 3.0))
    }

    assert best_of(figures, besides="fusion") == "image"
    assert best_of(errors, besides="fusion") == "text"
    assert best_of({"text": figures["text"]}, besides="text") is None
