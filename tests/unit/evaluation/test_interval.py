import numpy as np
import pytest
from scipy.stats import binomtest

from mmray.evaluation.interval import bootstrap_interval, wilson_interval


def interval_of_mean(values, *, confidence=0.95, resamples=2000, seed=0):
    return bootstrap_interval(
        lambda rows: float(values[rows].mean()),
        len(values),
        confidence=confidence,
        resamples=resamples,
        seed=seed,
    )


def test_the_interval_of_a_mean_is_that_of_the_normal_distribution():
    values = np.random.default_rng(0).normal(3.0, 2.0, 400)

    low, high = interval_of_mean(values)

    half = 1.96 * values.std() / np.sqrt(400)
    assert low == pytest.approx(values.mean() - half, abs=0.03)
    assert high == pytest.approx(values.mean() + half, abs=0.03)


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    generator = np.random.default_rng(1)
    intervals = [
        interval_of_mean(generator.normal(3.0, 1.0, 60), confidence=0.9, resamples=300)
        for _ in range(200)
    ]

    held = np.mean([low <= 3.0 <= high for low, high in intervals])

    assert held == pytest.approx(0.9, abs=0.05)


def test_a_statistic_that_never_varies_has_an_interval_without_width():
    assert interval_of_mean(np.ones(20)) == (1.0, 1.0)


def test_more_confidence_gives_a_wider_interval_around_the_narrower_one():
    values = np.random.default_rng(0).normal(size=100)

    (a, d), (b, c) = (interval_of_mean(values, confidence=level) for level in (0.99, 0.5))

    assert a < b < values.mean() < c < d


def test_the_same_seed_gives_the_same_interval():
    values = np.random.default_rng(0).normal(size=50)

    assert interval_of_mean(values, seed=3) == interval_of_mean(values, seed=3)
    assert interval_of_mean(values, seed=3) != interval_of_mean(values, seed=4)


@pytest.mark.parametrize(("right", "count"), [(0, 16), (1, 16), (15, 16), (16, 16), (700, 1000)])
@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_the_interval_of_a_share_is_wilsons(right, count, confidence):
    expected = binomtest(right, count).proportion_ci(confidence, method="wilson")

    found = wilson_interval(right / count, count, confidence=confidence)

    assert found == pytest.approx((expected.low, expected.high))


def test_sixteen_right_of_sixteen_are_no_certainty():
    low, high = wilson_interval(1.0, 16, confidence=0.95)

    assert (low, high) == pytest.approx((0.806, 1.0), abs=1e-3)
