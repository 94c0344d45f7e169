"""From the manifest and the feature store to the samples of a split, ready to train on."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mmray.core.fingerprint import fingerprint
from mmray.core.kind import Split
from mmray.core.label.cell import Label
from mmray.data.manifest.manifest import Manifest
from mmray.features.store import measure_features, read_features
from mmray.run.feature_folder import FeatureFolder
from mmray.training.data.copies import payload_numbers
from mmray.training.data.samples import ModalityFeatures, Samples
from mmray.training.tasks.label import has_label
from mmray.training.tasks.task import ComparesModalities, Task, Tasks


def load_samples(
    manifest: Manifest,
    split: Split,
    features: Mapping[str, FeatureFolder],
    tasks: Tasks,
    *,
    require_payload: bool,
    spill: Path | None = None,
) -> Samples:
    """Load one split. ``features`` gives the modalities, in M-axis order.

    With ``require_payload`` a sample without any of these payloads, or without any label, is left
    out: it cannot be trained on. With ``spill`` the features are left in that folder, which
    trainings may share.
    """
    ids, labels = _usable(manifest, split, features, tasks, require_payload=require_payload)
    modalities: dict[str, ModalityFeatures] = {}
    for name, folder in features.items():
        path = None if spill is None else spill / _file_name(split, name, folder, ids)
        stored = read_features(folder.folder, ids, folder.spec, spill=path)
        modalities[name] = ModalityFeatures(
            spec=folder.spec, values=stored.values, offsets=stored.offsets, present=stored.present
        )
    if split is not Split.TRAIN:
        labels = _told_apart(tasks, labels, modalities)
    return Samples(ids=ids, modalities=modalities, labels=labels)


def samples_bytes(
    manifest: Manifest, splits: Sequence[Split], features: Mapping[str, FeatureFolder]
) -> int:
    """Return the bytes that the features of these splits take in memory, at most."""
    ids = [manifest.ids[row] for split in splits for row in manifest.rows_of(split)]
    return sum(measure_features(f.folder, ids, f.spec)[1] for f in features.values())


def _file_name(split: Split, name: str, folder: FeatureFolder, ids: Sequence[str]) -> str:
    return f"{split}-{name}-{fingerprint(str(folder.folder), list(ids))}.npy"


def _usable(
    manifest: Manifest,
    split: Split,
    features: Mapping[str, FeatureFolder],
    tasks: Tasks,
    *,
    require_payload: bool,
) -> tuple[list[str], dict[str, np.ndarray[Any, Any]]]:
    """Return the samples of a split and their labels."""
    rows = manifest.rows_of(split)
    ids = [manifest.ids[row] for row in rows]
    there = [measure_features(f.folder, ids, f.spec)[0] for f in features.values()]
    present = np.stack(there, axis=1)  # (N, M)
    labels: dict[str, np.ndarray[Any, Any]] = {}
    for name, task in tasks.items():
        column = manifest.labels.get(name, [None] * len(manifest))
        labels[name] = _encode(task, [column[row] for row in rows], present)
    if not require_payload:
        return ids, labels
    usable = present.any(axis=1)
    usable &= np.any([has_label(values) for values in labels.values()], axis=0)
    kept = [sample for sample, is_usable in zip(ids, usable, strict=True) if is_usable]
    return kept, {task: values[usable] for task, values in labels.items()}


def _told_apart(
    tasks: Tasks,
    labels: Mapping[str, np.ndarray[Any, Any]],
    modalities: Mapping[str, ModalityFeatures],
) -> dict[str, np.ndarray[Any, Any]]:
    """Return the labels; those of an alignment say which payloads are copies of one another."""
    found = dict(labels)
    for name, task in tasks.items():
        if isinstance(task, ComparesModalities) and task.classes is None:
            found[name] = task.told_apart(labels[name], payload_numbers(modalities))
    return found


def _encode(
    task: Task, labels: Sequence[Label | None], present: np.ndarray[Any, Any]
) -> np.ndarray[Any, Any]:
    encoded = task.encode(labels)
    return task.paired(encoded, present) if isinstance(task, ComparesModalities) else encoded
