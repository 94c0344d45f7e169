"""A search against the same trainings by hand, in a loop in one process.

    python -m benchmarks.search_overhead [--json] [--rounds 2] [--seconds 5 30] [--trials 8]
        [--concurrent auto]

Both train the same documents to their end, with all cores: the loop gives them to each training,
the search shares them out. They take turns of three seconds. The figure is trials per second of
the search against those of the loop: ``command`` counts all, with imports and Ray's start,
``trials`` from the first training on. ``--seconds`` is about what one training takes in the loop.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from benchmarks.report import Comparison, add_options, tell
from benchmarks.training_inputs import write_inputs
from benchmarks.turns import seconds_within, work_in_turn
from mmray.config.reading.load import check_document
from mmray.core.file.atomic import read_json, write_json
from mmray.core.kind import Kind
from mmray.core.spec import FeatureSpec
from mmray.run.training_job import TrainingJob

SPECS = {
    "text": FeatureSpec(Kind.TEXT, "vector", (256,), "float32"),
    "image": FeatureSpec(Kind.IMAGE, "vector", (512,), "float32"),
}
EPOCHS, SAMPLES = 10, 2048
CORES = len(os.sched_getaffinity(0))
LOWEST_LR = 1e-4


def make_job(folder: Path, inputs: tuple[str, dict[str, str]], *, epochs: int) -> TrainingJob:
    """Return a training."""
    document = {
        "name": "overhead",
        "data": {"manifest": "none"},
        "modalities": {
            name: {"column": name, "encode": {"kind": "mlp", "hidden": [64]}} for name in SPECS
        },
        "tasks": {"label": {"kind": "classification", "column": "label"}},
        "model": {"width": 64, "fusion": {"kind": "gated"}},
        "train": {"epochs": epochs, "batch_size": 64},
    }
    config = check_document(document, where="benchmark")
    return TrainingJob("overhead", config, *inputs, 0, str(folder))


def plan_trial(sample: Mapping[str, Any], job: TrainingJob) -> TrainingJob:
    """Return the training of a sample."""
    lr = sample.get("train.lr", LOWEST_LR)
    train = job.config.train.model_copy(update={"lr": lr})
    config = job.config.model_copy(update={"train": train})
    return replace(job, config=config, folder=f"{job.folder}/trials/{lr:.8f}")


def samples_of(trials: int) -> list[dict[str, float]]:
    """Return the same samples for both; the first is the document itself."""
    return [{"train.lr": LOWEST_LR * (1 + number)} if number else {} for number in range(trials)]


def loop(job: TrainingJob, trials: int) -> float:
    """Train by hand; return when the first training began."""
    import torch

    from mmray.run.training_run import train_run
    from mmray.training.parallel.worker_context import WorkerContext

    torch.set_num_threads(CORES)
    began = time.monotonic()
    for sample in samples_of(trials):
        plan = plan_trial(sample, job)
        Path(plan.folder).mkdir(parents=True)
        train_run(plan, context=WorkerContext(), wrap=lambda model: model, on_epoch=lambda _: None)
    return began


def search(job: TrainingJob, trials: int, concurrent: str) -> float:
    """Search; return when the search began."""
    from mmray.config.document import LocalRuntime
    from mmray.config.training.search import SearchConfig
    from mmray.distributed.node.session import connect
    from mmray.distributed.search.searching import search_trials

    size = connect(LocalRuntime(cpus=CORES))
    rates = [sample["train.lr"] for sample in samples_of(trials)[1:]]
    began = time.monotonic()
    search_trials(
        partial(plan_trial, job=job),
        search=SearchConfig(
            objective=[{"metric": "val/loss"}],
            trials=trials,
            sampler="grid",
            stop={"kind": "none"},
            space={"train.lr": {"choice": rates}},
            concurrent=int(concurrent) if concurrent.isdigit() else "auto",
        ),
        document={},
        train=job.config.train,
        size=size,
        folder=Path(job.folder),
        on_epoch=lambda *_: None,
        on_change=lambda *_: None,
    )
    return began


def run_child(options: argparse.Namespace) -> None:
    """Train one way, and write down when."""
    place = Path(options.child)
    inputs = read_json(place / "inputs.json")
    folder = place / options.way
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    job = make_job(folder, (inputs["manifest"], inputs["features"]), epochs=inputs["epochs"])
    if options.way == "loop":
        began = loop(job, options.trials)
    else:
        began = search(job, options.trials, options.concurrent)
    write_json(place / f"{options.way}.json", {"began": began, "ended": time.monotonic()})


def epochs_for(place: Path, inputs: tuple[str, dict[str, str]], seconds: float) -> int:
    """Return with how many epochs a training in the loop takes about so many seconds."""
    for attempt in ("cold", "warm"):
        folder = place / attempt
        folder.mkdir()
        began = loop(make_job(folder, inputs, epochs=EPOCHS), 1)
        taken = time.monotonic() - began
    return max(2, round(EPOCHS * seconds / taken))


def measure(place: Path, options: argparse.Namespace, seconds: float) -> list[Comparison]:
    """Compare both ways with trainings of so many seconds."""
    inputs = write_inputs(place / "inputs", SPECS, SAMPLES)
    epochs = epochs_for(place, inputs, seconds)
    write_json(
        place / "inputs.json", {"manifest": inputs[0], "features": inputs[1], "epochs": epochs}
    )
    base = [sys.executable, "-m", "benchmarks.search_overhead", "--child", str(place)]
    base += ["--trials", str(options.trials), "--concurrent", options.concurrent, "--way"]
    found: dict[str, dict[str, list[float]]] = {
        part: {"search": [], "loop": []} for part in ("command", "trials")
    }
    for _ in range(options.rounds):
        turns = work_in_turn({way: [*base, way] for way in ("loop", "search")})
        for way, taken in turns.items():
            times = read_json(place / f"{way}.json")
            total = sum(turn.ended - turn.begun for turn in taken)
            within = seconds_within(taken, times["began"], times["ended"])
            found["command"][way].append(options.trials / total)
            found["trials"][way].append(options.trials / within)
    alone = options.trials / found["trials"]["loop"][-1] / options.trials
    settings = {"trials": options.trials, "epochs": epochs, "concurrent": options.concurrent}
    return [
        Comparison(
            f"search_overhead_{part}_{seconds:g}s",
            f"{part}: trials of {alone:.1f} s ({epochs} epochs), search against a loop",
            "trials/s",
            ways["search"],
            ways["loop"],
            "a loop in one process",
            is_larger_better=True,
            settings=settings,
            is_paired=True,
        )
        for part, ways in found.items()
    ]


def main() -> None:
    """Compare with trainings of each duration."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser)
    parser.add_argument("--seconds", type=float, nargs="+", default=[5, 30])
    parser.add_argument("--trials", type=int, default=8)
    parser.add_argument("--concurrent", default="auto", help="trials at a time: a number, or auto")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--way", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        run_child(options)
        return
    for seconds in options.seconds:
        with tempfile.TemporaryDirectory() as place:
            for comparison in measure(Path(place), options, seconds):
                tell(comparison, as_json=options.json)


if __name__ == "__main__":
    main()
