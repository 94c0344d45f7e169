"""The settings that are compared: dotted keys of the document, each candidate one set of them."""

from typing import Any

from mmray.config.model.model import ModelConfig
from mmray.config.training.train import TrainConfig

Settings = dict[str, Any]
OLD: Settings = {
    "model.width": 128,
    "model.fusion": {"kind": "concat"},
    "model.dropout": 0.1,
    "model.modality_dropout": 0.0,
    "model.auxiliary": 0.0,
    "train.epochs": 20,
    "train.batch_size": 64,
    "train.lr": 1e-3,
    "train.weight_decay": 0.01,
    "train.warmup": 0.05,
    "train.schedule": "cosine",
    "train.keep_best": {"metric": "val/loss"},
    "train.early_stop": None,
    "train.balance": {"kind": "none"},
}
"""The defaults before they were measured."""
STANDARDISE = "standardise"
"""No key of a document: features that are vectors have mean zero and deviation one."""
NEW: Settings = OLD | {
    "model.dropout": 0.2,
    "model.modality_dropout": 0.2,
    "model.auxiliary": 1.0,
    "train.batch_size": 32,
    "train.lr": 2e-3,
}
BLENDING: Settings = {"train.balance": {"kind": "gradient_blending"}, "model.auxiliary": 0.0}
ONE_AT_A_TIME: dict[str, Settings] = {
    "old": OLD,
    "auxiliary 0.3": OLD | {"model.auxiliary": 0.3},
    "auxiliary 1": OLD | {"model.auxiliary": 1.0},
    "auxiliary 3": OLD | {"model.auxiliary": 3.0},
    "auxiliary 1, modality dropout 0.3": OLD
    | {"model.auxiliary": 1.0, "model.modality_dropout": 0.3},
    "modality dropout 0.2": OLD | {"model.modality_dropout": 0.2},
    "modality dropout 0.5": OLD | {"model.modality_dropout": 0.5},
    "gradient blending": OLD | BLENDING,
    "gated": OLD | {"model.fusion": {"kind": "gated"}},
    "attention": OLD | {"model.fusion": {"kind": "attention"}},
    "late": OLD | {"model.fusion": {"kind": "late"}},
    "lr 3e-3": OLD | {"train.lr": 3e-3},
    "60 epochs": OLD | {"train.epochs": 60},
    "60 epochs, patience 10": OLD | {"train.epochs": 60, "train.early_stop": {"patience": 10}},
    "batches of 32": OLD | {"train.batch_size": 32},
    "batches of 16": OLD | {"train.batch_size": 16},
    "width 64": OLD | {"model.width": 64},
    "dropout 0.3": OLD | {"model.dropout": 0.3},
    "weight decay 0.1": OLD | {"train.weight_decay": 0.1},
    "best by accuracy": OLD | {"train.keep_best": {"metric": "val/label/accuracy"}},
    "standardised vectors": OLD | {STANDARDISE: True},
}
TOGETHER: dict[str, Settings] = {
    "old": OLD,
    "auxiliary 1, lr 3e-3": OLD | {"model.auxiliary": 1.0, "train.lr": 3e-3},
    "auxiliary 1, batches of 16, 40 epochs": OLD
    | {"model.auxiliary": 1.0, "train.batch_size": 16, "train.epochs": 40},
    "new": NEW,
    "new, lr 3e-3": NEW | {"train.lr": 3e-3},
    "new, dropouts 0.3": NEW | {"model.dropout": 0.3, "model.modality_dropout": 0.3},
    "new, gradient blending": NEW | BLENDING,
}
GROUPS = {
    "one": ONE_AT_A_TIME,
    "together": TOGETHER,
    "confirm": {"old": OLD, "new": NEW},
}
OF_FUSIONS = ("model.fusion", "model.modality_dropout", "model.auxiliary", "train.balance")
"""Keys that change nothing in the training of a single modality."""


def of_single(settings: Settings) -> Settings:
    """Return settings for one modality: those of fusions are as before."""
    return settings | {key: OLD[key] for key in OF_FUSIONS}


def model_config(settings: Settings) -> ModelConfig:
    """Return the section ``model``."""
    return ModelConfig.model_validate(_section(settings, "model."))


def train_config(settings: Settings) -> TrainConfig:
    """Return the section ``train``; modalities are not watched, which changes no weight."""
    return TrainConfig.model_validate({**_section(settings, "train."), "watch_modalities": False})


def _section(settings: Settings, prefix: str) -> dict[str, Any]:
    return {k.removeprefix(prefix): v for k, v in settings.items() if k.startswith(prefix)}
