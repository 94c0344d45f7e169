"""From the manifest and the feature store to the samples of a split, ready to train on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mmray.core.atomic import read_success
from mmray.core.spec import FeatureSpec, spec_from_dict
from mmray.core.word import Split
from mmray.data.manifest import Manifest
from mmray.errors import ExtractionError
from mmray.features.store import read_features
from mmray.training.samples import ModalityFeatures, Samples
from mmray.training.tasks.alignment import AlignmentTask
from mmray.training.tasks.label import Label, has_label
from mmray.training.tasks.task import Task, Tasks


@dataclass(frozen=True, slots=True)
class FeatureFolder:
    """A complete set of features of one modality."""

    folder: Path
    spec: FeatureSpec
    state: Path | None
    """Where the extractor's fitted state lies."""


def open_features(folder: Path) -> FeatureFolder:
    """Open a feature folder; one that is not complete is an ExtractionError."""
    success = read_success(folder)
    if success is None:
        raise ExtractionError(
            "these features are not complete", where=str(folder), hint="run 'mmray extract' again"
        )
    state = success["state"]
    return FeatureFolder(folder, spec_from_dict(success["spec"]), Path(state) if state else None)


def load_samples(
    manifest: Manifest,
    split: Split,
    features: Mapping[str, FeatureFolder],
    tasks: Tasks,
    *,
    require_payload: bool,
) -> Samples:
    """Load one split. ``features`` gives the modalities, in M-axis order.

    With ``require_payload`` a sample without any of these payloads, or without any label, is left
    out: nothing can be learnt from it.
    """
    rows = manifest.rows_of(split)
    ids = [manifest.ids[row] for row in rows]
    modalities = {name: _load_modality(folder, ids) for name, folder in features.items()}
    present = np.stack([m.present for m in modalities.values()], axis=1)  # (N, M)
    labels: dict[str, np.ndarray[Any, Any]] = {}
    for name, task in tasks.items():
        column = manifest.labels.get(name, [None] * len(manifest))
        labels[name] = _encode(task, [column[row] for row in rows], present)
    samples = Samples(ids=ids, modalities=modalities, labels=labels)
    if not require_payload:
        return samples
    usable = present.any(axis=1)
    usable &= np.any([has_label(values) for values in labels.values()], axis=0)
    return samples if usable.all() else _keep(samples, np.flatnonzero(usable))


def _load_modality(folder: FeatureFolder, ids: Sequence[str]) -> ModalityFeatures:
    stored = read_features(folder.folder, ids, folder.spec)
    return ModalityFeatures(
        spec=folder.spec, values=stored.values, offsets=stored.offsets, present=stored.present
    )


def _encode(
    task: Task, labels: Sequence[Label], present: np.ndarray[Any, Any]
) -> np.ndarray[Any, Any]:
    encoded = task.encode(labels)
    return task.paired(encoded, present) if isinstance(task, AlignmentTask) else encoded


def _keep(samples: Samples, rows: np.ndarray[Any, Any]) -> Samples:
    return Samples(
        ids=[samples.ids[row] for row in rows],
        modalities={name: _keep_rows(m, rows) for name, m in samples.modalities.items()},
        labels={task: values[rows] for task, values in samples.labels.items()},
    )


def _keep_rows(features: ModalityFeatures, rows: np.ndarray[Any, Any]) -> ModalityFeatures:
    present = features.present[rows]
    if features.offsets is None:
        return ModalityFeatures(features.spec, features.values[rows], None, present)
    starts, ends = features.offsets[:-1][rows], features.offsets[1:][rows]
    pieces = [features.values[a:b] for a, b in zip(starts, ends, strict=True)]
    offsets = np.concatenate([[0], np.cumsum(ends - starts)])
    values = np.concatenate(pieces) if pieces else features.values[:0]
    return ModalityFeatures(features.spec, values, offsets, present)
