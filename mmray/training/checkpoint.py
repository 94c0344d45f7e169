"""Checkpoints: one folder per epoch, either whole or not there; safetensors and JSON only.

epoch-0003/model.safetensors  optimizer.safetensors  progress.json
"""

import logging
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from mmray.core.atomic import read_json, write_json
from mmray.training.progress import Progress, progress_from_dict

logger = logging.getLogger(__name__)

Weights = dict[str, Tensor]

MODEL, OPTIMIZER, PROGRESS = "model.safetensors", "optimizer.safetensors", "progress.json"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """All that is needed to go on as if nothing had happened.

    No generator is saved: every epoch seeds its own (`training.loop`).
    """

    progress: Progress
    model: Weights
    optimizer: Weights
    best_model: Weights
    """Weights of the best epoch."""


def epoch_folder(folder: Path, epochs: int) -> Path:
    """Return where the checkpoint after ``epochs`` epochs is."""
    return folder / f"epoch-{epochs:04d}"


def save_checkpoint(
    folder: Path, *, model: Weights, optimizer: Weights, progress: Progress, keep: int
) -> Path:
    """Write one epoch's checkpoint; keep the newest ``keep`` and that of the best epoch."""
    target = epoch_folder(folder, progress.epoch)
    temporary = folder / f".{target.name}.tmp"
    for leftover in (temporary, target):  # of a process that was killed, or an unreadable one
        shutil.rmtree(leftover, ignore_errors=True)
    temporary.mkdir(parents=True)
    save_file({name: value.contiguous() for name, value in model.items()}, temporary / MODEL)
    save_file(optimizer, temporary / OPTIMIZER)
    write_json(temporary / PROGRESS, progress.to_dict())
    os.replace(temporary, target)  # noqa: PTH105 (says what it is for)
    _prune(folder, progress, keep)
    return target


def load_latest(folder: Path) -> Checkpoint | None:
    """Return the newest checkpoint that can be read, or None."""
    for candidate in _newest_first(folder):
        try:
            return _load(candidate)
        except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
            logger.warning("checkpoint %s is not taken: %s", candidate, error)
    return None


def flatten_optimizer(optimizer: torch.optim.Optimizer) -> Weights:
    """Return a copy of the optimiser's state as named tensors: ``<parameter>.<name>``."""
    state: Mapping[int, Mapping[str, Tensor]] = optimizer.state_dict()["state"]
    return {
        f"{parameter}.{name}": value.detach().cpu().clone()
        for parameter, values in state.items()
        for name, value in values.items()
    }


def restore_optimizer(optimizer: torch.optim.Optimizer, flat: Weights) -> None:
    """Put back what ``flatten_optimizer`` returned; the settings stay the optimiser's own."""
    state: dict[int, Weights] = {}
    for key, value in flat.items():
        parameter, _, name = key.partition(".")
        state.setdefault(int(parameter), {})[name] = value
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": state, "param_groups": groups})


def _load(path: Path) -> Checkpoint:
    progress = progress_from_dict(read_json(path / PROGRESS))
    model = load_file(path / MODEL)
    is_best = progress.best is None or progress.best.epoch == progress.epoch - 1
    best = path if is_best else epoch_folder(path.parent, _best_epochs(progress))
    return Checkpoint(progress, model, load_file(path / OPTIMIZER), load_file(best / MODEL))


def _best_epochs(progress: Progress) -> int:
    return progress.epoch if progress.best is None else progress.best.epoch + 1


def _newest_first(folder: Path) -> list[Path]:
    return sorted(folder.glob("epoch-[0-9]*"), reverse=True)


def _prune(folder: Path, progress: Progress, keep: int) -> None:
    best = epoch_folder(folder, _best_epochs(progress))
    for old in _newest_first(folder)[keep:]:
        if old != best:
            shutil.rmtree(old)
