"""Trainings of a search that are those of a document: they need not be trained a second time."""

import shutil
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmray.core.file.atomic import SEALS, mark_success, read_complete
from mmray.core.file.link import copy_or_link
from mmray.run.epoch_file import EPOCHS
from mmray.run.training_job import TrainingJob
from mmray.stages.training.variant import fusion_variant, run_folder
from mmray.stages.workspace import Workspace


def adopt(jobs: Sequence[TrainingJob], workspace: Workspace) -> None:
    """Put complete trainings of the workspace's document where ``train`` would write them."""
    for job in jobs:
        variant = fusion_variant(workspace.config, job.seed)
        target = run_folder(workspace, variant)
        success = read_complete(Path(job.folder))
        if success is not None and read_complete(target) is None:
            _copy(Path(job.folder), target, success | {"name": variant.name})


def _copy(source: Path, target: Path, success: dict[str, Any]) -> None:
    """Copy what a complete training consists of; a killed copy leaves nothing at ``target``."""
    files: dict[str, str] = success.pop(SEALS, {})
    new = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        for name in (*files, EPOCHS):
            (new / name).parent.mkdir(parents=True, exist_ok=True)
            copy_or_link(source / name, new / name)
        mark_success(new, success, files=files)
        shutil.rmtree(target, ignore_errors=True)  # a training that was not completed
        new.rename(target)
    finally:
        shutil.rmtree(new, ignore_errors=True)
