"""The files of a job: this package, the workflow and the document."""

import json
import os
import shutil
from pathlib import Path, PurePath
from typing import Any

import mmray
from mmray.config.document import Config
from mmray.config.reading.load import resolved


def package(config: Config, workflow: Path, document: Path, folder: Path) -> str:
    """Put what the job needs into ``folder``; return the document's name in there."""
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(mmray.__file__).parent, folder / "mmray", ignore=ignore)
    target = folder / workflow.parent.name
    target.mkdir(exist_ok=True)
    shutil.copy(workflow, target)
    name = document_name(document)
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    # JSON is YAML, and says the same to any parser.
    (folder / name).write_text(json.dumps(to_cluster_document(config), indent=2), "utf-8")
    return str(name)


def document_name(document: Path) -> PurePath:
    """Return the name by which the job speaks of the document: the user's own, where it can be."""
    is_inside = not document.is_absolute() and ".." not in document.parts
    return document if is_inside else PurePath(document.name)


def to_cluster_document(config: Config) -> dict[str, Any]:
    """Return the document with absolute paths, to be run inside of the cluster."""
    document = resolved(config)
    resources = document["runtime"]["resources"]
    document["runtime"] = {"mode": "cluster", "address": "auto", "resources": resources}
    document["workspace"] = _absolute(config.workspace)
    document["data"]["manifest"] = _absolute(config.data.manifest)
    document["data"]["allow"] = [_absolute(place) for place in config.data.allow]
    store = config.tracking.uri or os.environ.get("MLFLOW_TRACKING_URI")
    document["tracking"]["uri"] = _absolute_store(store) if store else None
    for modality in document["modalities"].values():
        _resolve_checkpoints(modality["extract"])
    return document


def _resolve_checkpoints(section: dict[str, Any]) -> None:
    """Make local checkpoints, tokenizers and files absolute, those of a transcript's text too."""
    for key, value in section.items():
        if isinstance(value, dict):
            _resolve_checkpoints(value)
        elif key in ("model", "tokenizer", "path") and value and Path(value).exists():
            section[key] = _absolute(value)


def _absolute_store(uri: str) -> str:
    prefix = "sqlite:///"
    return prefix + _absolute(uri.removeprefix(prefix)) if uri.startswith(prefix) else uri


def _absolute(place: str) -> str:
    return place if "://" in place else str(Path(place).resolve())
