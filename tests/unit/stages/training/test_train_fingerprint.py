"""Which settings name a training: whoever changes one of them trains again, and nobody else."""

import pytest

from mmray.config.training.train import TrainConfig
from mmray.stages.training.fingerprint import train_fingerprint
from tests.support.document import make_config

CHANGED = {
    "epochs": 21,
    "batch_size": 64,
    "accumulate": 2,
    "sampling": "balanced",
    "sampling_task": "animal",
    "lr": 1e-4,
    "weight_decay": 0.02,
    "warmup": 0.1,
    "schedule": "linear",
    "clip_norm": 2.0,
    "precision": "float32",
    "compile": True,
    "seed": 1,
    "keep_best": {"metric": "val/animal/accuracy"},
    "early_stop": {"metric": "val/loss", "patience": 3},
    "ema": 0.99,
    "soup": 3,
    "task_weighting": {"kind": "uncertainty"},
    "balance": {"kind": "ogm_ge"},
}
"""Settings that decide the weights."""
HOW_IT_IS_RUN = {
    "workers": 2,
    "max_failures": 5,
    "parallel": "fsdp",
    "keep_checkpoints": 4,
    "stream": "always",
    "memory_fraction": 0.25,
    "watch_modalities": False,
}


def named(**train):
    modalities = {
        "text": {"column": "note", "extract": {"kind": "tokens"}, "encode": {"kind": "lstm"}},
        "image": {"column": "photo", "extract": {"kind": "pixels"}, "encode": {"kind": "cnn"}},
    }
    return train_fingerprint(make_config(modalities=modalities, train=train), "features")


def test_every_setting_of_a_training_is_tried_here():
    assert CHANGED.keys() | HOW_IT_IS_RUN.keys() == set(TrainConfig.model_fields)


@pytest.mark.parametrize("setting", CHANGED)
def test_another_value_of_what_decides_the_weights_is_another_training(setting):
    assert named(**{setting: CHANGED[setting]}) != named()


@pytest.mark.parametrize("setting", HOW_IT_IS_RUN)
def test_how_a_training_is_run_does_not_name_it(setting):
    assert named(**{setting: HOW_IT_IS_RUN[setting]}) == named()


def test_where_a_block_halves_counts_for_pictures_alone():
    def named_with(encode):
        kinds = {"image": {"column": "photo", "extract": {"kind": "pixels"}, "encode": encode}}
        sound = {"audio": {"column": "speech", "encode": encode}}
        return [
            train_fingerprint(make_config(modalities=modalities), "features")
            for modalities in (kinds, sound)
        ]

    first, last = (named_with({"kind": "cnn", "pool": pool}) for pool in ("first", "last"))

    assert first[0] != last[0]
    assert first[1] == last[1]


def test_other_features_are_another_training():
    config = make_config()

    assert train_fingerprint(config, "these") != train_fingerprint(config, "those")


CUSTOM = {"kind": "custom", "factory": "my_parts_of_a_training:build"}
FACTORIES = {
    "encoder": {"modalities": {"image": {"column": "p", "encode": CUSTOM}}},
    "fusion": {"model": {"fusion": CUSTOM}},
    "task": {
        "tasks": {
            "mine": CUSTOM | {"column": "label", "labels": "number", "metrics": {"off": "min"}}
        }
    },
}


@pytest.mark.parametrize("part", FACTORIES)
def test_other_code_of_a_custom_part_is_another_training(part, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    code = tmp_path / "my_parts_of_a_training.py"
    names = []

    for text in ("build = 1", "build = 2", "build = 1"):
        code.write_text(text)
        names.append(train_fingerprint(make_config(**FACTORIES[part]), "features"))

    assert names[0] != names[1]
    assert names[0] == names[2]
