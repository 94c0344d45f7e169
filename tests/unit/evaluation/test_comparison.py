import math

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


def hits(both, ours, others, neither):
    """Hits of two models, by how many samples both, one or none of them gets right."""
    counts = [both, ours, others, neither]
    return np.repeat([1.0, 1.0, 0.0, 0.0], counts), np.repeat([1.0, 0.0, 1.0, 0.0], counts)


def newcombe(both, ours, others, neither):
    """Method 10 as Newcombe (1998) writes it, in counts."""
    n, z = both + ours + others + neither, 1.959963984540054
    p, q = (both + ours) / n, (both + others) / n

    def wilson(share):
        middle = share + z * z / (2 * n)
        width = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
        return (middle - width) / (1 + z * z / n), (middle + width) / (1 + z * z / n)

    product = (both + ours) * (others + neither) * (both + others) * (ours + neither)
    odds = both * neither - ours * others
    phi = (max(odds - n / 2, 0) if odds > 0 else odds) / math.sqrt(product) if product else 0.0
    (p_low, p_high), (q_low, q_high) = wilson(p), wilson(q)
    below, over = (p - p_low, q_high - q), (p_high - p, q - q_low)
    return tuple(
        p - q + sign * math.sqrt(a * a - 2 * phi * a * b + b * b)
        for sign, (a, b) in ((-1, below), (1, over))
    )


def test_paired_shares_agree_with_a_published_example():
    """Airway reactivity before and after transplantation, as Fagerland et al. (2014) compute it."""
    found = paired_shares(*hits(1, 1, 7, 12), confidence=0.95)

    assert found == pytest.approx((-0.507, -0.026), abs=5e-4)


@pytest.mark.parametrize(
    "counts",
    [(20, 12, 2, 16), (0, 9, 8, 3), (4, 4, 4, 4), (30, 1, 0, 0), (5, 0, 0, 5), (9, 1, 1, 1)],
)
def test_paired_shares_follow_their_formula(counts):
    found = paired_shares(*hits(*counts), confidence=0.95)

    assert found == pytest.approx(newcombe(*counts), abs=1e-9)


def test_the_spread_of_trainings_widens_a_difference_as_student_s_t_has_it():
    """By hand: t of 3 degrees of freedom is 3.182, and the variance 0.01 / 3 + 0.02 / 2."""
    base = np.zeros(50)
    ours = [_evaluated(base + level) for level in (0.3, 0.4, 0.5)]
    others = [_evaluated(base + level) for level in (0.7, 0.9)]

    found = compare(ours, others, metric_named("mae"), CONFIG)

    half = 3.182446 * math.sqrt(0.01 / 3 + 0.02 / 2)
    assert found.value == pytest.approx(0.4)
    assert found.interval == pytest.approx((0.4 - half, 0.4 + half), abs=1e-6)


def test_one_training_each_says_nothing_about_other_trainings():
    one, other = _evaluated(np.full(50, 0.4)), _evaluated(np.full(50, 0.8))

    assert compare([one], [other], metric_named("mae"), CONFIG).interval == pytest.approx(
        (0.4, 0.4)
    )


def test_figures_and_differences_are_plain_json():
    figure = summarise(shares(right(8, 10)), metric_named("accuracy"), CONFIG).to_dict()
    found = compare(
        shares(right(80, 100)), shares(right(60, 100)), metric_named("accuracy"), CONFIG
    )

    assert figure.pop("interval") == pytest.approx([0.490, 0.943], abs=1e-3)
    assert figure == {
        "metric": "accuracy", "value": 0.8, "deviation": 0.0, "samples": 10, "trainings": 1,
    }  # fmt: skip
    assert found.to_dict() == {
        "value": pytest.approx(0.2), "interval": list(found.interval), "verdict": "better",
    }  # fmt: skip


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
