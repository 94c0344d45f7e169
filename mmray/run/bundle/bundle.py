"""The model bundle: one directory that is enough to predict from raw files on another machine."""

import math
import shutil
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmray import __version__
from mmray.config.document import Config
from mmray.config.reading.load import resolved
from mmray.core.file.atomic import write_json
from mmray.core.text.secret import masked_document
from mmray.errors import BundleError, ConfigError
from mmray.features.build import check_exported, export_extractor
from mmray.models.build import save_encoders
from mmray.models.fusion_model import FusionModel
from mmray.run.bundle.ensemble import (
    BundleMember,
    TrainedModel,
    member_folder,
    member_folders,
    read_member,
)
from mmray.run.bundle.foreign.checkpoint import SPARE, check_checkpoints
from mmray.run.bundle.foreign.document import DOCUMENT, FORMAT, BundleDocument, read_document
from mmray.run.bundle.foreign.files import CARD, SUMS, check_files, seal_bundle
from mmray.run.bundle.foreign.loading import loading_foreign
from mmray.run.bundle.foreign.trust import custom_parts, require_trust
from mmray.run.bundle.foreign.weights import (
    bounded,
    check_counts,
    check_shapes,
    load_weights,
    read_shapes,
)
from mmray.run.bundle.model_card import model_card
from mmray.run.feature_folder import FeatureFolder
from mmray.run.training_run import (
    ENCODERS,
    assemble_model,
    load_tasks,
    restore_tasks,
    save_weights,
)
from mmray.training.tasks.task import Task, Tasks

WEIGHTS = "model.safetensors"
EXTRACTORS = "extractors"


@dataclass(frozen=True, slots=True)
class Bundle:
    """The content of a bundle."""

    folder: Path
    config: Config
    features: dict[str, FeatureFolder]
    tasks: dict[str, Task]
    model: FusionModel
    metrics: dict[str, Any]
    held: int
    """Weights in all files, those of checkpoints included."""
    weight: float = 1.0
    """Of this model in the mean of all."""
    others: tuple[BundleMember, ...] = ()
    """The further models of an ensemble; they take the same features."""


def write_bundle(
    folder: Path,
    models: Sequence[TrainedModel],
    *,
    features: Mapping[str, FeatureFolder],
    metrics: Mapping[str, Any],
) -> None:
    """Write the complete bundle, which replaces an earlier one.

    Several models are an ensemble, whose prediction is their weighted mean. They take the same
    features and have the same fitted tasks.
    """
    first = models[0]
    temporary = folder.with_name(f".{folder.name}.{uuid.uuid4().hex[:8]}.tmp")
    temporary.mkdir(parents=True)
    try:
        for name, feature in features.items():
            extractor = temporary / EXTRACTORS / name
            export_extractor(first.config.modalities[name], feature.state, extractor)
        tasks = load_tasks(first.run_folder, first.config)
        card = model_card(first.config, features, tasks, metrics, models=len(models))
        (temporary / CARD).write_text(card, "utf-8")
        weights = {"weights": [each.weight for each in models]} if len(models) > 1 else {}
        _write_model(temporary, first, features, {"metrics": metrics} | weights)
        for number, each in enumerate(models[1:], 2):
            _write_model(member_folder(temporary, number), each, features, {"metrics": {}})
        seal_bundle(temporary)
        _swap(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _write_model(
    folder: Path,
    trained: TrainedModel,
    features: Mapping[str, FeatureFolder],
    more: Mapping[str, Any],
) -> None:
    """Write weights and document of one model."""
    folder.mkdir(parents=True, exist_ok=True)
    save_weights(trained.model, folder / WEIGHTS)
    save_encoders(trained.model, folder / ENCODERS)
    tasks = load_tasks(trained.run_folder, trained.config)
    write_json(
        folder / DOCUMENT,
        {
            "format": FORMAT,
            "mmray": __version__,
            "config": masked_document(resolved(trained.config)),
            "specs": {name: feature.spec.to_dict() for name, feature in features.items()},
            "tasks": {name: task.to_dict() for name, task in tasks.items()},
            **more,
        },
    )


def read_bundle(folder: Path, *, trust: bool = False) -> Bundle:
    """Read a bundle that anybody may have written; every problem is a BundleError.

    No file of it runs as code, and no code that its document names is imported, unless ``trust``.
    Nothing outside of the folder is read. Memory is taken after all other checks.
    """
    if not any((folder / name).exists() for name in (DOCUMENT, SUMS)):
        raise BundleError(
            "there is no model bundle",
            where=str(folder),
            hint="'mmray evaluate' writes one to the workspace, under 'model'",
        )
    check_files(folder, DOCUMENT, WEIGHTS)
    config, specs, document = read_document(folder)
    require_trust(config, trust=trust, where=str(folder))
    features = {
        name: FeatureFolder(folder, spec, folder / EXTRACTORS / name)
        for name, spec in specs.items()
    }
    with loading_foreign(folder):
        held = check_checkpoints(folder)
        for name in features:
            check_exported(config.modalities[name], folder / EXTRACTORS / name)
        tasks = restore_tasks(config, document.tasks)
        model = _read_model(folder, config, features, tasks)
        others = _read_members(folder, features, document, trust=trust)
    weight = document.weights[0] if others else 1.0
    return Bundle(
        folder, config, features, tasks, model.eval(), document.metrics, held, weight, others
    )


def _read_members(
    folder: Path, features: dict[str, FeatureFolder], document: BundleDocument, *, trust: bool
) -> tuple[BundleMember, ...]:
    """Read the further models of an ensemble."""
    specs = {name: feature.spec for name, feature in features.items()}
    members: list[BundleMember] = []
    folders = member_folders(folder, document)
    for own, weight in zip(folders, document.weights[1:], strict=True):
        config, found = read_member(own, specs, document, trust=trust)
        tasks = restore_tasks(config, found.tasks)
        model = _read_model(own, config, features, tasks)
        members.append(BundleMember(tasks, model.eval(), weight))
    return tuple(members)


def _read_model(
    folder: Path, config: Config, features: dict[str, FeatureFolder], tasks: Tasks
) -> FusionModel:
    path = folder / WEIGHTS
    shapes = read_shapes(path)
    sections = {"model": config.model.model_dump(mode="json")} | {
        name: config.modalities[name].encode.model_dump(mode="json") for name in features
    }
    check_counts(sections, shapes, str(folder / DOCUMENT))
    held = sum(math.prod(shape) for shape in shapes.values())
    # Half of a checkpoint may be built and dropped; trusted code may build what it likes.
    may_exceed = (folder / ENCODERS).is_dir() or bool(custom_parts(config))
    with bounded(held, spare=SPARE if may_exceed else 2, where=str(folder / DOCUMENT)):
        model = assemble_model(config, features, tasks, saved=folder)
    check_shapes(model, shapes, path)
    load_weights(model, path)
    return model


def _swap(new: Path, target: Path) -> None:
    """Put ``new`` at ``target``; only an earlier bundle is ever removed."""
    if not target.exists():
        new.rename(target)
        return
    if not (target / DOCUMENT).is_file():
        raise ConfigError(
            f"{str(target)!r} exists and is not a model bundle",
            hint="move it away, or choose another 'workspace'",
        )
    old = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.old")
    target.rename(old)
    new.rename(target)
    shutil.rmtree(old)
