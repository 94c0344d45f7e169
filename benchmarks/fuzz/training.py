"""A workspace's training, complete or under way: markers, features, models and checkpoints."""

import hashlib
import os
import shutil
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from torch import Tensor

from benchmarks.fuzz.broken_file import break_file
from benchmarks.fuzz.document import ROWS, write_rows
from benchmarks.fuzz.oddity import damage_file
from benchmarks.fuzz.subject import Subject, temporary_home
from benchmarks.training_inputs import write_inputs
from mmray.config.document import Config
from mmray.config.reading.load import check_document
from mmray.core.file.atomic import mark_success, read_success
from mmray.core.kind import Kind, Split
from mmray.core.spec import FeatureSpec
from mmray.data.manifest.manifest import read_manifest
from mmray.errors import MMRayError
from mmray.features.store.files import REJECTIONS, list_files
from mmray.run.feature_folder import open_features
from mmray.run.samples import load_samples
from mmray.run.training_data import fit_tasks
from mmray.run.training_job import TrainingJob
from mmray.run.training_run import load_run, train_run
from mmray.stages.prepare import run
from mmray.stages.workspace import Workspace
from mmray.tracking.memory import MemoryTracker
from mmray.training.loop.checkpoint import load_latest
from mmray.training.parallel.worker_context import WorkerContext

SPECS = {
    "text": FeatureSpec(Kind.TEXT, "vector", (6,), "float32"),
    "audio": FeatureSpec(Kind.AUDIO, "sequence", (4, 5), "float32"),
}
DOCUMENT: dict[str, Any] = {
    "name": "pets",
    "workspace": "work",
    "data": {"manifest": "corpus", "split": {"train": 0.8, "val": 0.1, "test": 0.1}},
    "modalities": {
        "text": {"column": "note", "encode": {"kind": "mlp", "hidden": [8]}},
        "audio": {"column": "speech", "encode": {"kind": "lstm", "hidden": 4}},
    },
    "tasks": {"label": {"kind": "classification", "column": "label"}},
    "model": {"width": 8},
    "train": {"epochs": 3, "batch_size": 32, "max_failures": 0},
    "tracking": {"uri": "memory://"},
}


NOT_OURS = ("manifest.jsonl", "samples.parquet")


class Stopped(Exception):  # noqa: N818 (a training that is stopped on purpose)
    """The end of a training that leaves its checkpoints."""


def marker_subject() -> Subject:
    """Return a workspace whose stages are complete; what is damaged is made again or refused."""
    home = temporary_home("markers")
    os.chdir(home)
    _make_workspace(home, epochs=3)
    return Subject("marker", partial(_break, home), _use_workspace, accepts=_each_is_right)


def checkpoint_subject() -> Subject:
    """Return a training under way; a checkpoint that is damaged is passed over."""
    home = temporary_home("checkpoints")
    os.chdir(home)
    _make_workspace(home, epochs=2)
    known = _known_checkpoints(home / "work" / "run" / "checkpoints")
    return Subject(
        "checkpoint",
        partial(_break, home / "work" / "run" / "checkpoints"),
        _use_checkpoints,
        accepts=lambda good, found: found is None or known.get(found[0]) == found[1],
    )


def _make_workspace(home: Path, *, epochs: int) -> None:
    """Prepare a manifest, write features, and train; stop after ``epochs``."""
    write_rows(home / "corpus", ROWS)
    config = check_document(DOCUMENT, where="fuzz")
    run(Workspace(config), MemoryTracker())
    work = home / "work"
    manifest, features = write_inputs(work / "features", SPECS, 120)
    manifest = str(Path(manifest).rename(work / "samples.parquet"))
    for path in map(Path, features.values()):  # the files are listed, as extraction does
        pq.write_table(pa.table({"sample_id": pa.array([], pa.string())}), path / REJECTIONS)
        mark_success(path, (read_success(path) or {}) | {"files": list_files(path)})
    (work / "run").mkdir()
    names = {name: str(Path(path).relative_to(home)) for name, path in features.items()}
    relative = str(Path(manifest).relative_to(home))
    plan = TrainingJob("fusion", config, relative, names, 0, "work/run")

    def stop(record: Any) -> None:
        if record.epoch + 1 > epochs:
            raise Stopped

    try:
        train_run(plan, context=WorkerContext(), wrap=lambda view: view, on_epoch=stop)
    except Stopped:
        return


def _break(home: Path, folder: Path, seed: int) -> str:
    """Copy everything, and damage one file."""
    shutil.copytree(home, folder, dirs_exist_ok=True)
    if seed < 0:
        return "nothing"
    rng = np.random.default_rng([seed, 11])
    # The corpus is another subject; the manifest of the features is no file of the product.
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name not in NOT_OURS)
    file = files[rng.integers(len(files))]
    if rng.random() < 0.25:
        return break_file(file, rng)
    return f"{file.relative_to(folder)}: {damage_file(file, seed)}"


def _use_workspace(folder: Path) -> dict[str, Any]:
    """Use what each stage left; a part that is refused, or not complete, is ``error``."""
    os.chdir(folder)
    config = check_document(DOCUMENT, where="fuzz")

    def prepared() -> str:
        workspace = Workspace(config)
        run(workspace, MemoryTracker())
        manifest = read_manifest(workspace.prepared.path)
        return _digest([manifest.ids[:], manifest.splits, dict(manifest.labels)])

    return {
        "prepared": _tried(prepared),
        "features": _tried(partial(_features_digest, config)),
        "model": _tried(partial(_model_digest, config)),
    }


def _tried(part: Callable[[], str]) -> str:
    try:
        return part()
    except MMRayError:
        return "error"


def _features_digest(config: Config) -> str:
    manifest = read_manifest(Path("work/samples.parquet"))
    features = {name: open_features(Path("work/features") / name) for name in SPECS}
    tasks = fit_tasks(config, manifest, list(SPECS))
    samples = load_samples(manifest, Split.TRAIN, features, tasks, require_payload=True)
    return _digest([values.values.tobytes() for values in samples.modalities.values()])


def _model_digest(config: Config) -> str:
    features = {name: open_features(Path("work/features") / name) for name in SPECS}
    return _weights_digest(load_run(Path("work/run"), config, features).state_dict())


def _each_is_right(good: dict[str, str], found: dict[str, str]) -> bool:
    return all(found[part] in (good[part], "error") for part in good)


def _use_checkpoints(folder: Path) -> Any:
    checkpoint = load_latest(folder)
    if checkpoint is None:
        return None
    parts = (checkpoint.model, checkpoint.optimizer, checkpoint.best_model, checkpoint.average)
    return [checkpoint.progress.epoch, _digest([_weights_digest(part) for part in parts])]


def _known_checkpoints(folder: Path) -> dict[int, str]:
    """Return what each checkpoint holds, as it is when those after it are away."""
    known: dict[int, str] = {}
    while (found := _use_checkpoints(folder)) is not None:
        known[found[0]] = found[1]
        newest = max(folder.glob("epoch-*"))
        newest.rename(newest.with_name(f"was-{newest.name}"))
    for was in folder.glob("was-*"):
        was.rename(was.with_name(was.name.removeprefix("was-")))
    return known


def _weights_digest(weights: Mapping[str, Tensor]) -> str:
    return _digest([[name, weights[name].numpy().tobytes().hex()] for name in sorted(weights)])


def _digest(value: Any) -> str:
    return hashlib.sha256(repr(value).encode()).hexdigest()[:16]
