"""Steps per second of Ray Train on stored features, against a bare PyTorch loop.

    python -m benchmarks.train_loop [--json] [--rounds 3]

Both train the same model on the same batches in the same order, one worker with one thread, and are
measured in turn, the bare loop before and after each of ours: a round compares ours with the mean
of the two, as the machine's pace drifts. The bare loop has its samples in memory and nothing else:
no metrics, validation, checkpoint or report. Ours is the product's own way with all of that.

``ratio`` compares what both do: the passes over the train split, the first left out. What ours does
between them (validation, weights hash, checkpoint synced to the disk, report to Ray) stands in
'settings' as ``ratio_with_epoch_ends``, from the first epoch's checkpoint to the last one's; so do
start-up, and what two workers give, each with one thread and half of every batch.
"""

import itertools
import os
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch

from benchmarks.report import Comparison, parse, tell
from benchmarks.training_inputs import num_train_samples, write_inputs
from mmray.assembly.epoch_file import EPOCHS as EPOCHS_FILE
from mmray.assembly.epoch_file import epoch_lines
from mmray.assembly.run import CHECKPOINTS, assemble_model, fit_tasks
from mmray.assembly.run_plan import RunPlan
from mmray.assembly.samples import load_samples, open_features
from mmray.config.document import LocalRuntime
from mmray.config.load import check_document
from mmray.core.spec import FeatureSpec
from mmray.core.word import Kind, Split
from mmray.data.manifest import read_manifest
from mmray.distributed.fitting import WorkerShare, fit_runs
from mmray.distributed.session import connect
from mmray.training.epoch import train_batches
from mmray.training.sampling import shuffled
from mmray.training.tasks.build import task_losses

SAMPLES, EPOCHS, BATCH = 8192, 4, 64
TRAINED = num_train_samples(SAMPLES)
STEPS = -(-TRAINED // BATCH)
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
    "train": {
        "epochs": EPOCHS,
        "batch_size": BATCH,
        "schedule": "constant",
        "warmup": 0.0,
        "keep_checkpoints": EPOCHS,
    },
}


def bare_loop(plan: RunPlan) -> float:
    """Return steps per second over all epochs but the first: there is nothing but training."""
    torch.set_num_threads(1)
    manifest = read_manifest(Path(plan.manifest))
    features = {name: open_features(Path(path)) for name, path in plan.features.items()}
    tasks = fit_tasks(plan.config, manifest, list(features))
    train = load_samples(manifest, Split.TRAIN, features, tasks, require_payload=True)
    torch.manual_seed(0)
    model = assemble_model(plan.config, features, tasks).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)
    task = tasks["label"]
    started = 0.0
    for epoch in range(EPOCHS):
        started = time.monotonic() if epoch == 1 else started
        order = shuffled(len(train), seed=0, epoch=epoch)
        for batch in train_batches(train, order, batch_size=BATCH, rank=0, world=1):
            outputs = model(batch.features, batch.present)["label"]
            loss = task_losses(task, outputs, batch.labels["label"], batch.labelled["label"]).mean()
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
    return STEPS * (EPOCHS - 1) / (time.monotonic() - started)


@dataclass(frozen=True, slots=True)
class Found:
    """What training by Ray Train gave."""

    steps_per_s: float
    """In the passes over the train split."""
    whole_per_s: float
    """With what lies between them."""
    rest_s: float
    """Everything before the first epoch's checkpoint and after the last one's."""


def ray_train(plan: RunPlan, storage: Path, *, workers: int) -> Found:
    """Train by Ray Train; the first epoch is left out of the rates."""
    folder = Path(plan.folder)
    folder.mkdir()
    started = time.monotonic()
    share = WorkerShare(workers=workers, cpus=1, use_gpu=False)
    fit_runs([plan], config=plan.config.train, share=share, storage=storage)
    wall_s = time.monotonic() - started
    epochs = epoch_lines(folder / EPOCHS_FILE)[1:]
    steps_s = sum(TRAINED / epoch["metrics"]["train/samples_per_s"] for epoch in epochs)
    checkpoints = sorted((folder / CHECKPOINTS).glob("epoch-*"))
    times = [path.stat().st_mtime for path in checkpoints]
    seconds = times[-1] - times[0]
    steps = STEPS * (EPOCHS - 1)
    return Found(steps / steps_s, steps / seconds, wall_s - seconds)


def main() -> None:
    """Measure both ways in turn."""
    options = parse(__doc__ or "")
    ours: list[Found] = []
    bare: list[float] = []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        manifest, features = write_inputs(folder, SPECS, SAMPLES)
        connect(LocalRuntime())
        config = check_document(DOCUMENT, where="benchmark")

        def plan(name: str) -> RunPlan:
            return RunPlan(name, config, manifest, features, 0, str(folder / name))

        def run_bare() -> None:
            bare.append(bare_loop(plan("bare")))
            say(f"bare {bare[-1]:.1f}")

        run_bare()
        for number in range(options.rounds):
            ours.append(ray_train(plan(f"round {number}"), folder / "ray", workers=1))
            say(f"by Ray Train {ours[-1].steps_per_s:.1f}")
            run_bare()
        two = ray_train(plan("two workers"), folder / "ray", workers=2)
    beside = [statistics.mean(pair) for pair in itertools.pairwise(bare)]
    tell(
        Comparison(
            name="train_loop",
            claim="Ray Train on stored features against a bare PyTorch loop",
            unit="steps/s",
            ours=[each.steps_per_s for each in ours],
            other=beside,
            other_name="PyTorch loop without metrics, validation, checkpoints or reports",
            is_larger_better=True,
            is_paired=True,
            settings={
                "samples": SAMPLES, "epochs": EPOCHS, "batch_size": BATCH, "workers": 1,
                "threads": 1, "rounds": options.rounds,
                "ratio_with_epoch_ends": round(
                    statistics.median(
                        each.whole_per_s / other for each, other in zip(ours, beside, strict=True)
                    ),
                    3,
                ),
                "two_workers": round(two.steps_per_s, 1),
                "start_up_s": [round(each.rest_s, 1) for each in ours],
                "bare": [round(each, 1) for each in bare],
            },
        ),
        as_json=options.json,
    )  # fmt: skip


def say(what: str) -> None:
    """Tell what a part gave."""
    print(f"{what} steps/s", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
