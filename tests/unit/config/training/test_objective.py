import pytest

from mmray.config.base import HintedError
from mmray.config.reading.load import check_document
from mmray.config.training.train import ObjectiveConfig
from mmray.errors import ConfigError
from tests.support.document import make_config, make_document

TWO = {"text": {"column": "note"}, "image": {"column": "photo"}}
SEARCH = {"space": {"train.lr": {"uniform": [0.1, 0.2]}}}


def error_of(**sections):
    with pytest.raises(ConfigError) as caught:
        check_document(make_document(**sections), where="pets.yaml")
    return str(caught.value)


@pytest.mark.parametrize(
    ("key", "sections"),
    [
        ("train.keep_best", {"train": {"keep_best": {"metric": "val/animal/acuracy"}}}),
        ("train.early_stop", {"train": {"early_stop": {"metric": "val/animal/acuracy"}}}),
        ("search.objective", {"search": SEARCH | {"objective": {"metric": "val/animal/acuracy"}}}),
    ],
)
def test_a_metric_that_will_not_be_is_refused_with_the_nearest(key, sections):
    error = error_of(**sections)

    assert f"{key}.metric: there is no metric 'val/animal/acuracy'" in error
    assert "did you mean 'val/animal/accuracy'?" in error


@pytest.mark.parametrize("metric", ["val/animal/mae", "val/pets/accuracy", "accuracy", "test/loss"])
def test_a_metric_of_another_task_or_split_is_refused(metric):
    assert f"there is no metric {metric!r}" in error_of(train={"keep_best": {"metric": metric}})


@pytest.mark.parametrize(
    "metric",
    ["val/loss", "train/loss", "val/animal/loss", "val/animal/f1_macro", "train/animal/accuracy"],
)
def test_a_metric_that_an_epoch_reports_is_taken(metric):
    assert make_config(train={"keep_best": {"metric": metric}}, modalities=TWO)


def test_a_metric_of_one_modality_is_none_where_modalities_are_trained_alone():
    train = {"keep_best": {"metric": "val/animal/image/gain"}}

    error = error_of(train=train, modalities=TWO)

    assert "a modality trained alone has no metric 'val/animal/image/gain'" in error
    assert make_config(train=train, modalities=TWO, evaluation={"alone": False})


@pytest.mark.parametrize("metric", ["val/t/mse", "val/t/brier", "accurracy"])
def test_a_metric_that_nobody_knows_has_no_direction(metric):
    with pytest.raises(HintedError, match="there is no metric"):
        _ = ObjectiveConfig(metric=metric).direction


def test_a_metric_that_is_neither_better_large_nor_small_needs_a_mode():
    neither = {"keep_best": {"metric": "train/lr"}}

    assert "neither large nor small values of 'train/lr' are better" in error_of(train=neither)
    chosen = make_config(train={"keep_best": {"metric": "train/lr", "mode": "min"}})
    assert chosen.train.keep_best.is_better(1.0, 2.0)
