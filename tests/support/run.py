"""A training's inputs on disk: a manifest and features, without any extraction."""

import numpy as np

from mmray.core.file.atomic import mark_success
from mmray.core.kind import Kind, Split
from mmray.core.spec import FeatureSpec
from mmray.data.manifest.manifest import Manifest, write_manifest
from mmray.features.extractor import ExtractedBatch
from mmray.features.store import write_index, write_shard
from mmray.run.training_job import TrainingJob
from tests.support.document import make_config

SPECS = {
    "image": FeatureSpec(Kind.IMAGE, "vector", (6,), "float32"),
    "audio": FeatureSpec(Kind.AUDIO, "sequence", (9, 5), "float32"),
}


def make_run_plan(folder, *, name, samples=61, keep_best=None):
    """Some samples lack a modality or a label, and the last batch is smaller than the others."""
    generator = np.random.default_rng(5)
    labels = generator.integers(0, 3, samples)
    ids = [f"s{row}" for row in range(samples)]
    features = {
        modality: _write_features(folder / modality, modality, ids, labels, generator)
        for modality in SPECS
    }
    path = folder / "manifest.parquet"
    write_manifest(_manifest(folder, ids, labels, generator), path)
    return TrainingJob(
        name=name,
        config=_config(keep_best or {"metric": "val/loss"}),
        manifest=str(path),
        features=features,
        seed=0,
        folder=str(folder / name.replace(" ", "-")),
    )


def _config(keep_best):
    return make_config(
        modalities={
            "image": {"column": "photo", "encode": {"kind": "mlp", "hidden": [12], "dropout": 0}},
            "audio": {"column": "speech", "encode": {"kind": "lstm", "hidden": 8}},
        },
        tasks={
            "animal": {"kind": "classification", "column": "label"},
            "size": {"kind": "regression", "column": "size"},
        },
        model={"width": 16, "dropout": 0, "modality_dropout": 0, "auxiliary": 0.5},
        train={"epochs": 3, "batch_size": 8, "keep_best": keep_best, "max_failures": 0},
    )


def _write_features(folder, modality, ids, labels, generator):
    spec = SPECS[modality]
    arrays = []
    for label in labels:
        shape = spec.shape if modality == "image" else (int(generator.integers(2, 10)), 5)
        arrays.append((generator.normal(size=shape) + label).astype(np.float32))
    absent = generator.random(len(ids)) < 0.2
    kept = [None if gone else array for gone, array in zip(absent, arrays, strict=True)]
    reasons = ["empty" if gone else "" for gone in absent]
    folder.mkdir(parents=True, exist_ok=True)
    batch = ExtractedBatch(kept, reasons, [""] * len(ids))
    write_shard(folder, ids, ["k"] * len(ids), batch, spec)
    write_index(folder, dict.fromkeys(ids, "k"))
    mark_success(folder, {"spec": spec.to_dict(), "state": None})
    return str(folder)


def _manifest(folder, ids, labels, generator):
    has_size = generator.random(len(ids)) < 0.7
    splits = [Split.VAL if row % 5 == 0 else Split.TRAIN for row in range(len(ids))]
    return Manifest(
        folder=str(folder),
        ids=ids,
        splits=splits,
        references={modality: ["x"] * len(ids) for modality in SPECS},
        labels={
            "animal": [("cat", "dog", "owl")[label] for label in labels],
            "size": [
                float(label) if known else None
                for label, known in zip(labels, has_size, strict=True)
            ],
        },
    )
