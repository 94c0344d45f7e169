"""Model bundles without a training: fitted extractors, and weights as they were initialised."""

import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from mmray.core.file.atomic import write_json
from mmray.features.build import build_extractor
from mmray.features.fit import fit_extractor
from mmray.run.bundle.bundle import write_bundle
from mmray.run.bundle.ensemble import TrainedModel
from mmray.run.bundle.foreign.files import SUMS, seal_bundle
from mmray.run.feature_folder import FeatureFolder
from mmray.run.training_run import TASKS, assemble_model
from mmray.training.tasks.build import fit_task
from tests.support.document import make_config

MODALITIES = {
    "text": {"column": "note", "extract": {"kind": "tokens", "vocabulary": 60},
             "encode": {"kind": "lstm", "hidden": 8}},
    "image": {"column": "photo", "extract": {"kind": "pixels", "height": 16, "width": 16},
              "encode": {"kind": "cnn", "channels": [4]}},
    "table": {"numbers": ["age"], "categories": ["sex"]},
}  # fmt: skip
TASKS_OF = {
    "animal": {"kind": "classification", "column": "label"},
    "size": {
        "kind": "regression",
        "column": "size",
        "loss": {"kind": "quantile", "quantiles": [0.1, 0.5, 0.9]},
    },
}
LABELS = {"label": ["cat", "dog", "owl"] * 4, "size": [1.0, 2.0, 5.0] * 4}
PAYLOADS = {
    "text": [b"a small cat", b"the dog barks", b"an owl at night"] * 4,
    "table": [b'{"age":3.0,"sex":"f"}', b'{"age":9.0,"sex":"m"}'] * 6,
    "series": [b"[[0,1],[2,3]]", b"t,x\n0,5\n1,2\n"] * 6,
}


def make_bundle(folder, *, modalities=None, tasks=None, weights=(1.0,), **sections):
    """Write a bundle of the given document, or of three modalities and two tasks; return it.

    Several ``weights`` make an ensemble of models that were initialised with seeds 0, 1, ...
    """
    config = make_config(
        modalities=modalities or MODALITIES,
        tasks=tasks or TASKS_OF,
        **({"model": {"width": 8}} | sections),
    )
    features = {name: _fit(config, name, folder) for name in config.modality_order()}
    fitted = {
        name: fit_task(task, LABELS.get(getattr(task, "column", None), [None] * 12), list(features))
        for name, task in config.tasks.items()
    }
    run = folder.with_name(f"{folder.name}-run")
    write_json(run / TASKS, {name: task.to_dict() for name, task in fitted.items()})
    trained = []
    for seed, weight in enumerate(weights):
        torch.manual_seed(seed)
        model = assemble_model(config, features, fitted)
        trained.append(TrainedModel(config, run, model, weight))
    write_bundle(folder, trained, features=features, metrics={})
    return folder


def _fit(config, name, folder):
    state = folder.with_name(f"{folder.name}-state") / name
    fit_extractor(config.modalities[name], PAYLOADS.get(name, []), state)
    return FeatureFolder(state, build_extractor(config.modalities[name], state).spec, state)


def change_document(folder, change):
    """Edit bundle.json as its author could: the list of files is made anew."""
    path = folder / "bundle.json"
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))
    reseal(folder)


def change_weights(folder, change):
    """Edit the weights as the author of the bundle could."""
    path = folder / "model.safetensors"
    weights = load_file(path)
    change(weights)
    save_file(weights, path)
    reseal(folder)


def reseal(folder):
    """List the files as they are now."""
    (folder / SUMS).unlink()
    seal_bundle(folder)


def peak_bytes():
    """Return the most memory that this process has had."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    line = next(line for line in lines if line.startswith("VmPeak"))
    return int(line.split()[1]) * 1024
