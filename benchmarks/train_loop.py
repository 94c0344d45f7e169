"""Steps per second of Ray Train on stored features, against a bare PyTorch loop.

    python -m benchmarks.train_loop [--json] [--rounds 3]

Both train the same model on the same batches in the same order by the same optimiser, one worker
with one thread; in the end their weights must be the same but for rounding. They are commands of
their own that take turns of a second: one is stopped while the other works, and what counts is the
time of its own turns; the ratio is the median of the rounds'. The bare loop has its samples in
memory and nothing else: no metrics, validation, checkpoint or report. Ours is the product's own way
with all of that, Ray's processes included.

``ratio`` compares what both do: the passes over the train split, the first left out. What ours does
between them (validation, weights hash, checkpoint synced to the disk, report to Ray) stands in
'settings' as ``ratio_with_epoch_ends``, from the end of the first pass to the end of the last one;
so do start-up, and what two workers give, each with one thread and half of every batch.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from safetensors.torch import load_file

from benchmarks.report import Comparison, add_options, tell
from benchmarks.training_inputs import num_train_samples, write_inputs
from benchmarks.turns import Turn, seconds_within, work_in_turn
from mmray.config.reading.load import check_document
from mmray.core.kind import Kind, Split
from mmray.core.spec import FeatureSpec
from mmray.run.training_job import TrainingJob

SAMPLES, EPOCHS, BATCH = 8192, 8, 64
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
    "model": {
        "width": 256, "fusion": {"kind": "gated"}, "dropout": 0.1, "modality_dropout": 0.0,
        "auxiliary": 0.0,
    },
    "train": {
        "epochs": EPOCHS,
        "batch_size": BATCH,
        "schedule": "constant",
        "warmup": 0.0,
    },
}  # fmt: skip
TURN_S = 1.0
ROUNDING = 1e-3
"""Of a weight, after all epochs: the norm by which gradients are cut is summed in another order."""


@dataclass(frozen=True, slots=True)
class Job:
    """One training in a process of its own."""

    way: str
    folder: Path
    """Of the inputs, which all share."""
    name: str
    workers: int

    @property
    def marks(self) -> Path:
        """Where every pass over the train split is noted."""
        return self.folder / f"{self.name}.passes"

    @property
    def started(self) -> Path:
        """What is there once a worker of Ray Train is."""
        return self.folder / f"{self.name}.started"

    @property
    def last_weights(self) -> Path:
        """Where the weights after the last epoch are, whatever epoch was the best."""
        return self.folder / f"{self.name}.safetensors"

    @property
    def command(self) -> list[str]:
        """Return what runs it."""
        return [
            sys.executable, "-m", "benchmarks.train_loop", "--way", self.way,
            "--folder", str(self.folder), "--name", self.name, "--workers", str(self.workers),
        ]  # fmt: skip

    def plan(self) -> TrainingJob:
        """Return what is trained."""
        manifest = str(self.folder / "manifest.parquet")
        features = {name: str(self.folder / name) for name in SPECS}
        config = check_document(DOCUMENT, where="benchmark")
        return TrainingJob(self.name, config, manifest, features, 0, str(self.folder / self.name))

    def passes(self) -> list[tuple[float, float]]:
        """Return when each pass was begun and ended."""
        lines = self.marks.read_text(encoding="utf-8").splitlines()
        return [(float(begun), float(ended)) for begun, ended in map(str.split, lines)]


def note(marks: Path, begun: float) -> None:
    """Note a pass that ends now."""
    with marks.open("a", encoding="utf-8") as stream:
        stream.write(f"{begun} {time.monotonic()}\n")


def run_bare(job: Job) -> None:
    """Train with nothing but training."""
    import torch

    from mmray.data.manifest.manifest import read_manifest
    from mmray.run.feature_folder import open_features
    from mmray.run.samples import load_samples
    from mmray.run.training_data import fit_tasks
    from mmray.run.training_run import assemble_model, save_weights
    from mmray.training.data.epoch import train_batches
    from mmray.training.data.sampling import shuffled
    from mmray.training.data.statistics import fit_statistics
    from mmray.training.loop.loop import seed_epoch
    from mmray.training.optimisation.optimizer import build_optimizer
    from mmray.training.tasks.build import task_losses

    torch.set_num_threads(1)
    plan = job.plan()
    settings = plan.config.train
    manifest = read_manifest(Path(plan.manifest))
    features = {name: open_features(Path(path)) for name, path in plan.features.items()}
    tasks = fit_tasks(plan.config, manifest, list(features))
    train = load_samples(manifest, Split.TRAIN, features, tasks, require_payload=True)
    torch.manual_seed(plan.seed)
    model = assemble_model(plan.config, features, tasks).train()
    fit_statistics(model, train)
    optimizer = build_optimizer(model, settings)
    task = tasks["label"]
    for epoch in range(EPOCHS):
        begun = time.monotonic()
        seed_epoch(plan.seed, epoch, rank=0)
        order = shuffled(len(train), seed=plan.seed, epoch=epoch)
        for batch in train_batches(train, order, batch_size=BATCH, rank=0, world=1):
            outputs = model(batch.features, batch.present)["label"]
            loss = task_losses(task, outputs, batch.labels["label"], batch.labelled["label"]).mean()
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), settings.clip_norm)
            optimizer.step()
        note(job.marks, begun)
    save_weights(model, job.last_weights)


def noting_encoder(spec: FeatureSpec, width: int, *, marks: str, started: str, weights: str):
    """Return the encoder of DOCUMENT, and let the process that asks note its start and passes."""
    from mmray.models.build import build_encoder
    from mmray.run.training_run import save_weights
    from mmray.training.loop import loop

    train_epoch = loop.train_epoch

    def noted(wrapped, state, plan, epoch):
        begun = time.monotonic()
        metrics = train_epoch(wrapped, state, plan, epoch)
        if plan.context.rank == 0:
            note(Path(marks), begun)
            if epoch == EPOCHS - 1:
                save_weights(state.model, Path(weights))
        return metrics

    loop.train_epoch = noted
    Path(started).touch()
    config = check_document(DOCUMENT, where="benchmark").modalities["text"].encode
    return build_encoder(config, spec, width=width, name="text")


def run_ours(job: Job) -> None:
    """Train by Ray Train."""
    from mmray.config.document import LocalRuntime
    from mmray.distributed.node.session import connect
    from mmray.distributed.training.fitting import WorkerShare, fit_runs

    encode = {
        "kind": "custom",
        "factory": "benchmarks.train_loop:noting_encoder",
        "options": {
            "marks": str(job.marks), "started": str(job.started), "weights": str(job.last_weights)
        },
    }  # fmt: skip
    text = DOCUMENT["modalities"]["text"] | {"encode": encode}
    document = DOCUMENT | {"modalities": DOCUMENT["modalities"] | {"text": text}}
    plan = replace(job.plan(), config=check_document(document, where="benchmark"))
    Path(plan.folder).mkdir()
    connect(LocalRuntime())
    share = WorkerShare(workers=job.workers, cpus=1, use_gpu=False)
    fit_runs([plan], config=plan.config.train, share=share, storage=job.folder / "ray")


WAYS = {"ours": run_ours, "bare": run_bare}


def largest_difference(jobs: list[Job]) -> float:
    """Return by how much a weight differs between two trainings at most; it must be little."""
    one, other = (load_file(job.last_weights) for job in jobs)
    most = max(float((one[name] - other[name]).abs().max()) for name in one.keys() | other.keys())
    if most > ROUNDING:
        raise SystemExit(f"the ways did not train the same: a weight differs by {most:g}")
    return most


@dataclass(frozen=True, slots=True)
class Found:
    """What a training gave in its own turns, the first pass left out."""

    steps_per_s: float
    """In the passes over the train split."""
    whole_per_s: float
    """With what lies between them."""
    rest_s: float
    """Everything before the end of the first pass and after that of the last one."""


def measured(job: Job, turns: list[Turn]) -> Found:
    """Return what a training gave that had these turns."""
    first, *passes = job.passes()
    steps = STEPS * len(passes)
    steps_s = sum(seconds_within(turns, begun, ended) for begun, ended in passes)
    whole_s = seconds_within(turns, first[1], passes[-1][1])
    all_s = seconds_within(turns, turns[0].begun, turns[-1].ended)
    return Found(steps / steps_s, steps / whole_s, all_s - whole_s)


def measure(jobs: list[Job]) -> list[Found]:
    """Run some trainings in turn, the others once the first has begun to train."""
    commands = {job.way: job.command for job in jobs}
    turns = work_in_turn(commands, turn_s=TURN_S, is_ready=jobs[0].started.exists)
    found = [measured(job, turns[job.way]) for job in jobs]
    for job, by in zip(jobs, found, strict=True):
        print(f"{job.name}: {by.steps_per_s:.1f} steps/s", file=sys.stderr, flush=True)
    return found


def main() -> None:
    """Measure both ways in turn."""
    options = parse_options()
    if options.way:
        WAYS[options.way](Job(options.way, options.folder, options.name, options.workers))
        return
    ours: list[Found] = []
    bare: list[Found] = []
    apart: list[float] = []
    with tempfile.TemporaryDirectory(prefix="mmray-train-loop-") as context:
        folder = Path(context)
        write_inputs(folder, SPECS, SAMPLES)
        for number in range(options.rounds):
            jobs = [Job(way, folder, f"{way} {number + 1}", 1) for way in WAYS]
            by_ours, by_bare = measure(jobs)
            ours.append(by_ours)
            bare.append(by_bare)
            apart.append(largest_difference(jobs))
        (two,) = measure([Job("ours", folder, "two workers", 2)])
    with_ends = [a.whole_per_s / b.steps_per_s for a, b in zip(ours, bare, strict=True)]
    tell(
        Comparison(
            name="train_loop",
            claim="Ray Train on stored features against a bare PyTorch loop",
            unit="steps/s",
            ours=[each.steps_per_s for each in ours],
            other=[each.steps_per_s for each in bare],
            other_name="PyTorch loop without metrics, validation, checkpoints or reports",
            is_larger_better=True,
            is_paired=True,
            settings={
                "samples": SAMPLES, "epochs": EPOCHS, "batch_size": BATCH, "workers": 1,
                "threads": 1, "rounds": options.rounds,
                "largest_difference_of_a_weight": max(apart),
                "ratio_with_epoch_ends": round(statistics.median(with_ends), 3),
                "two_workers": round(two.steps_per_s, 1),
                "start_up_s": [round(each.rest_s, 1) for each in ours],
            },
        ),
        as_json=options.json,
    )  # fmt: skip


def parse_options() -> argparse.Namespace:
    """Return the options; ``--way`` is how the script starts itself."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser)
    for name, kind in (("--way", str), ("--folder", Path), ("--name", str), ("--workers", int)):
        parser.add_argument(name, type=kind, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
