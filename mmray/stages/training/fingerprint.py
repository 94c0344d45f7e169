"""The name of a training."""

from typing import Any

from mmray.config.base import CustomConfig
from mmray.config.document import Config
from mmray.config.modality.modality import ModalityConfig
from mmray.config.model.encoder import CnnEncoderConfig
from mmray.config.model.pretrained import PretrainedConfig
from mmray.config.task.task import TaskConfig
from mmray.core.fingerprint import fingerprint
from mmray.features.checkpoints.checkpoint import checkpoint_identity
from mmray.features.custom import custom_digest

TRAIN_VERSION = 1
"""Increased when the same settings would give other weights, or other names of weights."""
NOT_IN_FINGERPRINT = {
    "workers",
    "max_failures",
    "parallel",
    "keep_checkpoints",
    "stream",
    "memory_fraction",
    "watch_modalities",
}


def train_fingerprint(config: Config, extracted: str) -> str:
    """Name a training by features, labels, architecture and optimisation; not by its workers."""
    return fingerprint(
        TRAIN_VERSION,
        extracted,
        _model_settings(config),
        config.train.model_dump(mode="json", exclude=NOT_IN_FINGERPRINT),
        {name: _task_settings(task) for name, task in config.tasks.items()},
        {name: _encode_settings(m) for name, m in config.modalities.items()},
    )


def _model_settings(config: Config) -> dict[str, Any]:
    settings: dict[str, Any] = config.model.model_dump(mode="json")
    settings["auxiliary"] = config.auxiliary
    return settings | {"fusion": _with_code(config.model.fusion, settings["fusion"])}


def _task_settings(task: TaskConfig) -> dict[str, Any]:
    return _with_code(task, task.model_dump(mode="json"))


def _encode_settings(modality: ModalityConfig) -> dict[str, Any]:
    """Return what decides how a modality is encoded; a checkpoint is named by its content.

    Augmentation that is not asked for leaves no trace, nor does what counts for pictures alone.
    """
    settings = modality.model_dump(mode="json", include={"encode", "augment"})
    encode = modality.encode
    if isinstance(encode, PretrainedConfig):
        settings["encode"]["model"] = checkpoint_identity(encode.model)
    if isinstance(encode, CnnEncoderConfig) and modality.kind not in ("image", "video"):
        del settings["encode"]["pool"]
    settings["encode"] = _with_code(encode, settings["encode"])
    return settings if settings.get("augment") else settings["encode"]


def _with_code(section: object, settings: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of a section, with a digest of the code that its factory names."""
    if not isinstance(section, CustomConfig):
        return settings
    return settings | {"code": custom_digest(section.factory)}
