"""Checkpoints: one folder per epoch, complete or absent; safetensors and JSON only.

epoch-0003/model.safetensors  optimizer.safetensors  [average.safetensors]  progress.json
"""

import logging
import os
import shutil
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from mmray.core.file.atomic import SEALS, read_json, sealed, sync, unsealed, write_json
from mmray.core.fingerprint import find_unsealed, seal_files
from mmray.errors import TrainingError
from mmray.training.loop.progress import TrainingProgress, progress_from_dict
from mmray.training.parallel.sharded import like, whole

logger = logging.getLogger(__name__)

Weights = dict[str, Tensor]

MODEL, OPTIMIZER, PROGRESS = "model.safetensors", "optimizer.safetensors", "progress.json"
AVERAGE = "average.safetensors"
"""Only where a running average of the weights is kept."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Everything that an exact resume needs.

    No generator is saved: every epoch seeds its own (`training.loop`).
    """

    progress: TrainingProgress
    model: Weights
    optimizer: Weights
    best_model: Weights
    """Weights of the best epoch: those that were evaluated."""
    average: Weights
    """Running average of the weights; empty where there is none."""


def epoch_folder(folder: Path, epochs: int) -> Path:
    """Return where the checkpoint after ``epochs`` epochs is."""
    return folder / f"epoch-{epochs:04d}"


def save_checkpoint(
    folder: Path,
    *,
    model: Weights,
    optimizer: Weights,
    progress: TrainingProgress,
    average: Weights,
) -> Path:
    """Write one epoch's checkpoint. It is on the disk when it gets its name, all or nothing of it.

    Raises:
        TrainingError: it cannot be written; the earlier ones are as they were.
    """
    target = epoch_folder(folder, progress.epoch)
    temporary = folder / f".{target.name}.tmp"
    shutil.rmtree(temporary, ignore_errors=True)  # of a process that was killed
    try:
        temporary.mkdir(parents=True)
        _write(temporary, {MODEL: model, OPTIMIZER: optimizer, AVERAGE: average}, progress)
        shutil.rmtree(target, ignore_errors=True)  # one that could not be read
        os.replace(temporary, target)  # noqa: PTH105 (says what it is for)
        sync(folder)
    except (OSError, SafetensorError) as error:
        shutil.rmtree(temporary, ignore_errors=True)
        raise TrainingError(
            f"the checkpoint of epoch {progress.epoch} cannot be written: {error}",
            where=str(target),
            hint="make room on this disk and run again: training resumes from the epoch before",
        ) from error
    return target


def prune_checkpoints(folder: Path, *, newest: int, epochs: Collection[int]) -> None:
    """Remove all checkpoints except the ``newest`` and those of these ``epochs``."""
    kept = {epoch_folder(folder, number) for number in epochs}
    for old in _newest_first(folder)[newest:]:
        if old not in kept:
            shutil.rmtree(old)


def evaluated_weights(folder: Path, epochs: int) -> Weights:
    """Return the weights that were evaluated after this epoch.

    Raises:
        TrainingError: the checkpoint is absent or damaged.
    """
    path = epoch_folder(folder, epochs)
    try:
        files = _read_progress(path)["files"]
        return load_file(path / (AVERAGE if AVERAGE in files else MODEL))
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise TrainingError(
            f"a checkpoint that the best epochs need cannot be used: {error}",
            where=str(path),
            hint=f"delete {folder} and run again: this training starts over",
        ) from None


def load_latest(folder: Path) -> Checkpoint | None:
    """Return the newest checkpoint that can be read, or None."""
    for candidate in _newest_first(folder):
        try:
            return _load(candidate)
        except (OSError, ValueError, KeyError, TypeError, SafetensorError, TrainingError) as error:
            logger.warning("checkpoint %s is skipped: %s", candidate, error.args[0])
    return None


def flatten_optimizer(optimizer: torch.optim.Optimizer) -> Weights:
    """Return a copy of the optimiser's state as named tensors: ``<parameter>.<name>``."""
    state: Mapping[int, Mapping[str, Tensor]] = optimizer.state_dict()["state"]
    return {
        f"{parameter}.{name}": whole(value.detach()).to("cpu", copy=True)
        for parameter, values in state.items()
        for name, value in values.items()
    }


def restore_optimizer(optimizer: torch.optim.Optimizer, flat: Weights) -> None:
    """Restore what ``flatten_optimizer`` returned; the optimiser keeps its settings."""
    state: dict[int, Weights] = {}
    parameters = [weight for group in optimizer.param_groups for weight in group["params"]]
    for key, value in flat.items():
        number, _, name = key.partition(".")
        weight = parameters[int(number)]
        is_per_weight = value.shape == weight.shape
        state.setdefault(int(number), {})[name] = like(value, weight) if is_per_weight else value
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": state, "param_groups": groups})


def _write(folder: Path, parts: Mapping[str, Weights], progress: TrainingProgress) -> None:
    written = {name: weights for name, weights in parts.items() if weights or name != AVERAGE}
    for name, weights in written.items():
        contiguous = {key: value.contiguous() for key, value in weights.items()}
        save_file(contiguous, folder / name)
    about = progress.to_dict() | {"files": sorted(written), SEALS: seal_files(folder, written)}
    write_json(folder / PROGRESS, sealed(about))
    for path in (*folder.iterdir(), folder):
        sync(path)


def _read_progress(path: Path) -> dict[str, Any]:
    """Return the metadata of a checkpoint; a damaged one is a ValueError."""
    try:
        document = unsealed(read_json(path / PROGRESS))
    except ValueError as error:
        raise ValueError(f"{PROGRESS} {error}") from None
    for name, problem in find_unsealed(path, document[SEALS]).items():
        raise ValueError(f"{name} {problem}")
    return document


def _load(path: Path) -> Checkpoint:
    document = _read_progress(path)
    progress = progress_from_dict(document)
    parts = {name: load_file(path / name) for name in document["files"]}
    best = progress.epoch if progress.best is None else progress.best.epoch + 1
    return Checkpoint(
        progress,
        model=parts[MODEL],
        optimizer=parts[OPTIMIZER],
        best_model=evaluated_weights(path.parent, best),
        average=parts.get(AVERAGE, {}),
    )


def _newest_first(folder: Path) -> list[Path]:
    def epochs(path: Path) -> int:
        return int(path.name.removeprefix("epoch-"))

    return sorted(folder.glob("epoch-[0-9]*"), key=epochs, reverse=True)
