from benchmarks.defaults.settings import NEW, OLD, model_config, of_single, train_config
from benchmarks.defaults.table import make_row, mean_ranks
from benchmarks.defaults.training import Outcome
from mmray.config.model.model import ModelConfig
from mmray.config.training.train import TrainConfig


def outcome(hits):
    return Outcome(hits, epochs=1, best_epoch=1, seconds=0.0)


def test_the_defaults_are_the_settings_that_were_measured_as_new():
    assert model_config(NEW) == ModelConfig()
    assert train_config(NEW) == TrainConfig(watch_modalities=False)


def test_a_single_modality_has_the_settings_that_concern_it():
    assert of_single(NEW) == NEW | {"model.auxiliary": 0.0, "model.modality_dropout": 0.0}
    assert of_single(OLD) == OLD


def test_a_fusion_is_compared_with_the_modality_that_is_best_alone():
    alone = {"weak": [outcome("0" * 60)], "strong": [outcome("1" * 50 + "0" * 10)]}

    row = make_row([outcome("1" * 60)], alone)

    assert (row.fusion, row.best, row.alone) == (1.0, "strong", {"weak": 0.0, "strong": 50 / 60})
    assert (round(row.gain.value, 3), row.gain.verdict) == (0.167, "better")


def test_candidates_with_the_same_figure_share_their_ranks():
    first, second = (make_row([outcome(hits)], {"a": [outcome("01")]}) for hits in ("11", "01"))
    table = {"x": {"c": first, "d": first}, "y": {"c": second, "d": first}, "z": {"c": second}}

    assert mean_ranks(table) == {"x": 1.0, "y": 2.5, "z": 2.5}
