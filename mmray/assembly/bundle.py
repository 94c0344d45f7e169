"""The model bundle: one directory that is enough to predict from raw files on another machine."""

import shutil
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors.torch import load_file

from mmray import __version__
from mmray.assembly.run import (
    ENCODERS,
    assemble_model,
    load_tasks,
    restore_tasks,
    save_weights,
)
from mmray.assembly.samples import FeatureFolder
from mmray.config.document import Config
from mmray.config.load import check_document, resolved
from mmray.core.atomic import read_json, write_json
from mmray.core.markdown import code, plain
from mmray.core.spec import spec_from_dict
from mmray.errors import ConfigError
from mmray.features.build import export_extractor
from mmray.models.build import save_encoders
from mmray.models.fusion_model import FusionModel
from mmray.training.tasks.task import Task, Tasks

FORMAT = 1
DOCUMENT = "bundle.json"
WEIGHTS = "model.safetensors"
EXTRACTORS = "extractors"
CARD = "README.md"


@dataclass(frozen=True, slots=True)
class Bundle:
    """What a bundle directory holds."""

    folder: Path
    config: Config
    features: dict[str, FeatureFolder]
    tasks: dict[str, Task]
    model: FusionModel
    metrics: dict[str, Any]


def write_bundle(
    folder: Path,
    *,
    config: Config,
    features: Mapping[str, FeatureFolder],
    run_folder: Path,
    model: FusionModel,
    metrics: Mapping[str, Any],
) -> None:
    """Write the bundle whole, in place of an earlier one at the same place."""
    tasks = load_tasks(run_folder, config)
    temporary = folder.with_name(f".{folder.name}.{uuid.uuid4().hex[:8]}.tmp")
    temporary.mkdir(parents=True)
    try:
        for name, feature in features.items():
            export_extractor(config.modalities[name], feature.state, temporary / EXTRACTORS / name)
        save_weights(model, temporary / WEIGHTS)
        save_encoders(model, temporary / ENCODERS)
        (temporary / CARD).write_text(model_card(config, features, tasks, metrics), "utf-8")
        write_json(
            temporary / DOCUMENT,
            {
                "format": FORMAT,
                "mmray": __version__,
                "config": resolved(config),
                "specs": {name: feature.spec.to_dict() for name, feature in features.items()},
                "tasks": {name: task.to_dict() for name, task in tasks.items()},
                "metrics": metrics,
            },
        )
        _swap(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def read_bundle(folder: Path) -> Bundle:
    """Read a bundle; a folder that holds none, or one of another format, is a ConfigError."""
    if not (folder / DOCUMENT).is_file():
        raise ConfigError(
            f"there is no model bundle in {str(folder)!r}",
            hint="'mmray evaluate' leaves one in the workspace, under 'model'",
        )
    document = read_json(folder / DOCUMENT)
    if document["format"] != FORMAT:
        raise ConfigError(
            f"bundle format {document['format']} was written by mmray {document['mmray']}",
            where=str(folder),
            hint=f"this is mmray {__version__}, which reads format {FORMAT}",
        )
    config = check_document(document["config"], where=str(folder / DOCUMENT))
    features = {
        name: FeatureFolder(folder, spec_from_dict(spec), folder / EXTRACTORS / name)
        for name, spec in document["specs"].items()
    }
    tasks = restore_tasks(config, document["tasks"])
    model = assemble_model(config, features, tasks, saved=folder)
    model.load_state_dict(load_file(folder / WEIGHTS))
    return Bundle(folder, config, features, tasks, model.eval(), document["metrics"])


def model_card(
    config: Config,
    features: Mapping[str, FeatureFolder],
    tasks: Tasks,
    metrics: Mapping[str, Any],
) -> str:
    """Return the model card as Markdown."""
    lines = [f"# {config.name}", "", f"Made by mmray {__version__}.", "", "## Inputs", ""]
    for name, feature in features.items():
        modality = config.modalities[name]
        lines.append(
            f"- {code(', '.join(modality.columns))} ({modality.kind}): {modality.extract.kind} "
            f"{feature.spec.describe()}, encoded by {modality.encode.kind}"
        )
    lines += ["", "Any of them may be missing.", "", "## Outputs", ""]
    lines += [f"- `{name}`: {plain(task.summary())}" for name, task in tasks.items()]
    lines += ["", "## On the test split", "", *_figure_lines(metrics)]
    lines += ["", "## Use", "", "```python", "import mmray", ""]
    example = {c: "..." for modality in config.modalities.values() for c in modality.columns}
    lines += [f"mmray.load(folder).predict([{example}])", "```", ""]
    return "\n".join(lines)


def _figure_lines(metrics: Mapping[str, Any]) -> list[str]:
    """Return a table of each task's figures, of the training whose weights these are."""
    lines = ["| task | metric | value | interval | samples |", "|---|---|---|---|---|"]
    for task, values in metrics.items():
        for key, value in values.items():
            if isinstance(value, float):
                bounds = values.get(f"{key}_interval")
                interval = "" if bounds is None else f"{bounds[0]:.4f} to {bounds[1]:.4f}"
                samples = values.get("samples", "")
                lines.append(
                    f"| {plain(task)} | {plain(key)} | {value:.4f} | {interval} | {samples} |"
                )
    return lines


def _swap(new: Path, target: Path) -> None:
    """Put ``new`` at ``target``; only an earlier bundle is ever removed."""
    if not target.exists():
        new.rename(target)
        return
    if not (target / DOCUMENT).is_file():
        raise ConfigError(
            f"{str(target)!r} is there and is no model bundle",
            hint="move it away, or choose another 'workspace'",
        )
    old = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.old")
    target.rename(old)
    new.rename(target)
    shutil.rmtree(old)
