import numpy as np
import pytest

from mmray.run.predict.mean import mean_outputs
from mmray.search.ensemble import select_ensemble


def error_from(truth):
    """Score a prediction of numbers by its mean absolute error."""
    return lambda predicted: -float(np.abs(predicted - truth).mean())


def test_two_models_that_are_wrong_to_both_sides_are_right_together():
    truth = np.array([1.0, 2.0, 3.0])

    found = select_ensemble([truth + 1, truth - 1, truth + 5], error_from(truth), most=3)

    assert found.members == (0, 1)
    assert found.weights == {0: 0.5, 1: 0.5}
    assert found.score == 0.0


def test_a_model_that_is_nearer_is_taken_as_often_as_it_helps():
    # Errors of 1 and -3: three of the first to one of the second cancel out.
    truth = np.zeros(4)

    found = select_ensemble([truth - 3, truth + 1], error_from(truth), most=2)

    assert found.weights == {1: 0.75, 0: 0.25}
    assert found.score == 0.0


def test_the_best_model_is_alone_where_no_other_helps():
    truth = np.zeros(3)

    found = select_ensemble([truth + 2, truth + 1, truth + 1], error_from(truth), most=3)

    assert found.members == (1,)
    assert found.score == -1.0


def test_a_step_that_does_not_help_by_itself_may_be_needed():
    # Probabilities of the right class: no two models are above one half on both samples.
    shares = [np.array([0.9, 0.0]), np.array([0.45, 0.6]), np.array([0.45, 0.95])]

    def right(mean):
        return float((mean > 0.5).sum())

    found = select_ensemble(shares, right, most=3)

    assert found.members == (0, 1, 2)
    assert found.score == 2.0


def test_no_more_different_models_are_taken_than_asked_for():
    generator = np.random.default_rng(0)
    truth = generator.normal(size=60)
    models = [truth + generator.normal(size=60) for _ in range(8)]

    sizes = [len(select_ensemble(models, error_from(truth), most=n).weights) for n in (1, 2, 3, 8)]
    scores = [select_ensemble(models, error_from(truth), most=n).score for n in (1, 2, 3, 8)]

    assert sizes[:3] == [1, 2, 3]
    assert sizes[3] > 3
    assert scores == sorted(scores)


def test_the_score_is_that_of_the_weighted_mean():
    generator = np.random.default_rng(1)
    truth = generator.normal(size=40)
    models = [truth + generator.normal(size=40) for _ in range(5)]

    found = select_ensemble(models, error_from(truth), most=5)

    outputs = [{"rate": models[number]} for number in found.weights]
    mean = mean_outputs(outputs, list(found.weights.values()))["rate"]
    assert error_from(truth)(mean) == pytest.approx(found.score, abs=1e-6)
    assert sum(found.weights.values()) == pytest.approx(1.0)
