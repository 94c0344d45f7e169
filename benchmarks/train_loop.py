"""Steps per second of Ray Train on stored features, against a bare PyTorch loop.

    python -m benchmarks.train_loop [--json] [--rounds 3]

Both train the same model on the same batches in the same order with one worker and one thread. The
bare loop has its samples in memory and nothing else: no metrics, validation, checkpoint or report.
Ours is the product's own way, all of that included; start-up is reported apart in 'settings'.
"""

import json
import os
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import torch

from benchmarks.report import Comparison, parse, tell
from mmray.assembly.run import assemble_model, fit_tasks
from mmray.assembly.run_plan import RunPlan
from mmray.assembly.samples import load_samples, open_features
from mmray.config.document import LocalRuntime
from mmray.config.load import check_document
from mmray.core.atomic import mark_success
from mmray.core.spec import FeatureSpec
from mmray.core.word import Kind, Split
from mmray.data.manifest import Manifest, read_manifest, write_manifest
from mmray.distributed.fitting import WorkerShare, fit_runs
from mmray.distributed.session import connect
from mmray.features.extractor import ExtractedBatch
from mmray.features.store import write_index, write_shard
from mmray.training.epoch import train_batches
from mmray.training.tasks.build import task_losses

SAMPLES, EPOCHS, BATCH = 8192, 6, 64
SPECS = {
    "text": FeatureSpec(Kind.TEXT, "vector", (768,), "float32"),
    "image": FeatureSpec(Kind.IMAGE, "vector", (2048,), "float32"),
    "audio": FeatureSpec(Kind.AUDIO, "vector", (128,), "float32"),
}
DOCUMENT = {
    "name": "train-loop",
    "data": {"manifest": "none"},
    "modalities": {
        name: {"column": name, "encode": {"kind": "mlp", "hidden": [256]}} for name in SPECS
    },
    "tasks": {"label": {"kind": "classification", "column": "label"}},
    "model": {"width": 256, "fusion": {"kind": "gated"}},
    "train": {"epochs": EPOCHS, "batch_size": BATCH, "schedule": "constant", "warmup": 0.0},
}


def write_inputs(folder: Path) -> tuple[str, dict[str, str]]:
    """Write random features of the widths of BERT, ResNet-50 and MFCC, and their manifest."""
    generator = np.random.default_rng(0)
    ids = [f"s{row}" for row in range(SAMPLES)]
    for name, spec in SPECS.items():
        target = folder / name
        target.mkdir()
        features = list(generator.normal(size=(SAMPLES, *spec.shape)).astype(np.float32))
        batch = ExtractedBatch(features, [""] * SAMPLES, [""] * SAMPLES)
        write_shard(target, ids, ["k"] * SAMPLES, batch, spec)
        write_index(target, dict.fromkeys(ids, "k"))
        mark_success(target, {"spec": spec.to_dict(), "state": None})
    splits = [Split.VAL if row % 16 == 0 else Split.TRAIN for row in range(SAMPLES)]
    labels = [str(label) for label in generator.integers(0, 10, SAMPLES)]
    manifest = Manifest(str(folder), ids, splits, {}, {"label": list(labels)})
    write_manifest(manifest, folder / "manifest.parquet")
    return str(folder / "manifest.parquet"), {name: str(folder / name) for name in SPECS}


def bare_loop(plan: RunPlan) -> float:
    """Return steps per second of a loop with nothing in it but the training."""
    torch.set_num_threads(1)
    manifest = read_manifest(Path(plan.manifest))
    features = {name: open_features(Path(path)) for name, path in plan.features.items()}
    tasks = fit_tasks(plan.config, manifest, list(features))
    train = load_samples(manifest, Split.TRAIN, features, tasks, require_payload=True)
    torch.manual_seed(0)
    model = assemble_model(plan.config, features, tasks).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)
    task = tasks["label"]
    steps, started = 0, time.monotonic()
    for epoch in range(EPOCHS):
        options = {"batch_size": BATCH, "seed": 0, "epoch": epoch, "rank": 0, "world": 1}
        for batch in train_batches(train, **options):
            outputs = model(batch.features, batch.present)["label"]
            loss = task_losses(task, outputs, batch.labels["label"], batch.labelled["label"]).mean()
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            steps += 1
    return steps / (time.monotonic() - started)


def ray_train(plan: RunPlan, storage: Path) -> tuple[float, float]:
    """Return steps per second from the first epoch's start to the last one's end, and start-up."""
    started = time.monotonic()
    share = WorkerShare(workers=1, cpus=1, use_gpu=False)
    fit_runs([plan], config=plan.config.train, share=share, storage=storage)
    wall_s = time.monotonic() - started
    text = (Path(plan.folder) / "epochs.jsonl").read_text(encoding="utf-8")
    seconds = sum(json.loads(line)["seconds"] for line in text.splitlines())
    samples = SAMPLES - len(range(0, SAMPLES, 16))
    return EPOCHS * -(-samples // BATCH) / seconds, wall_s - seconds


def main() -> None:
    """Measure both ways in turn."""
    options = parse(__doc__ or "")
    ours: list[float] = []
    other: list[float] = []
    start_up: list[float] = []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        manifest, features = write_inputs(folder)
        connect(LocalRuntime())
        for number in range(options.rounds):
            plan = RunPlan(
                name=f"round {number}",
                config=check_document(DOCUMENT, where="benchmark"),
                manifest=manifest,
                features=features,
                seed=0,
                folder=str(folder / f"run-{number}"),
            )
            Path(plan.folder).mkdir()
            other.append(bare_loop(plan))
            rate, seconds = ray_train(plan, folder / "ray")
            ours.append(rate)
            start_up.append(round(seconds, 1))
    tell(
        Comparison(
            name="train_loop",
            claim="Ray Train on stored features against a bare PyTorch loop",
            unit="steps/s",
            ours=ours,
            other=other,
            other_name="PyTorch loop without metrics, validation, checkpoints or reports",
            is_larger_better=True,
            settings={
                "samples": SAMPLES, "epochs": EPOCHS, "batch_size": BATCH, "workers": 1,
                "threads": 1, "rounds": options.rounds, "start_up_s": start_up,
            },
        ),
        as_json=options.json,
    )  # fmt: skip


if __name__ == "__main__":
    main()
