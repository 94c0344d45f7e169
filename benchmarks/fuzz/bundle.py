"""Model bundles: damaged on their way, or forged by somebody who makes the list of files anew."""

import os
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

import mmray
from benchmarks.fuzz.broken_file import break_file
from benchmarks.fuzz.oddity import damage_file
from benchmarks.fuzz.subject import Subject, temporary_home
from mmray.config.document import Config
from mmray.config.reading.load import check_document
from mmray.core.file.atomic import write_json
from mmray.features.build import build_extractor
from mmray.features.fit import fit_extractor
from mmray.run.bundle.bundle import write_bundle
from mmray.run.bundle.ensemble import TrainedModel
from mmray.run.bundle.foreign.files import CARD, SUMS, seal_bundle
from mmray.run.feature_folder import FeatureFolder
from mmray.run.training_run import TASKS, assemble_model
from mmray.training.tasks.build import fit_task

DOCUMENT: dict[str, Any] = {
    "name": "pets",
    "data": {"manifest": "corpus.csv"},
    "modalities": {
        "text": {"column": "note", "extract": {"kind": "tokens", "vocabulary": 60},
                 "encode": {"kind": "lstm", "hidden": 8}},
        "words": {"kind": "text", "column": "note", "extract": {"kind": "tfidf", "vocabulary": 9}},
        "image": {"column": "photo", "extract": {"kind": "pixels", "height": 16, "width": 16},
                  "encode": {"kind": "cnn", "channels": [4]}},
        "table": {"numbers": ["age"], "categories": ["sex"]},
    },
    "tasks": {
        "animal": {"kind": "classification", "column": "label"},
        "size": {"kind": "regression", "column": "size",
                 "loss": {"kind": "quantile", "quantiles": [0.1, 0.5, 0.9]}},
        "tags": {"kind": "multilabel", "column": "tags"},
    },
    "model": {"width": 8, "fusion": {"kind": "gated"}},
}  # fmt: skip
LABELS: dict[str, list[Any]] = {
    "animal": ["cat", "dog", "owl"] * 4,
    "size": [1.0, 2.0, 5.0] * 4,
    "tags": [["a"], ["a", "b"], []] * 4,
}
PAYLOADS = {
    "text": [b"a small cat", b"the dog barks", b"an owl at night"] * 4,
    "words": [b"a small cat", b"the dog barks", b"an owl at night"] * 4,
    "table": [b'{"age":3.0,"sex":"f"}', b'{"age":9.0,"sex":"m"}'] * 6,
}
RECORDS = [
    {"note": "a dog at night", "age": 4, "sex": "m"},
    {"note": None, "age": "seven", "sex": "x"},
    {"note": "<b>owl</b>"},
    {},
]


def bundle_subject() -> Subject:
    """Return damaged bundles: the predictions of the unbroken one, or an error."""
    home = _make_bundle()
    return Subject("bundle", partial(_break, home, False), _use, lambda good, found: found == good)


def forged_subject() -> Subject:
    """Return bundles whose author changed them: other predictions are his, a traceback is ours."""
    home = _make_bundle()
    return Subject("forged", partial(_break, home, True), _use)


def _make_bundle() -> Path:
    home = temporary_home("bundle")
    config = check_document(DOCUMENT, where="fuzz")
    features = {name: _fit(config, name, home / "state" / name) for name in config.modality_order()}
    fitted = {n: fit_task(t, LABELS[n], list(features)) for n, t in config.tasks.items()}
    write_json(home / "run" / TASKS, {name: task.to_dict() for name, task in fitted.items()})
    torch.manual_seed(0)
    trained = TrainedModel(config, home / "run", assemble_model(config, features, fitted))
    write_bundle(home / "model", [trained], features=features, metrics={})
    mmray.load(home / "model").predict(RECORDS)  # imports what every child would import
    return home / "model"


def _fit(config: Config, name: str, state: Path) -> FeatureFolder:
    fit_extractor(config.modalities[name], PAYLOADS.get(name, []), state)
    return FeatureFolder(state, build_extractor(config.modalities[name], state).spec, state)


def _break(home: Path, is_forged: bool, folder: Path, seed: int) -> str:
    target = folder / "model"
    shutil.copytree(home, target)
    if seed < 0:
        return "nothing"
    rng = np.random.default_rng([seed, 13])
    files = sorted(path for path in target.rglob("*") if path.is_file() and path.name != CARD)
    if is_forged:  # mostly the small ones, in which every byte means something
        files = [path for path in files if path.name != SUMS and _weight(path) > rng.random()]
    file = files[rng.integers(len(files))] if files else target / "bundle.json"
    if rng.random() < 0.2:
        done = break_file(file, rng)
    else:
        done = f"{file.relative_to(target)}: {damage_file(file, seed)}"
    if is_forged and all(path.is_file() or path.is_dir() for path in target.rglob("*")):
        seal_bundle(target)
    return done


def _weight(path: Path) -> float:
    return 0.3 if path.suffix == ".safetensors" else 1.0


def _use(folder: Path) -> Any:
    os.chdir(folder)
    return mmray.load("model").predict(RECORDS)
