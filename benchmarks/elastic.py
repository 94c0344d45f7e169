"""Training with elastic workers while a node is lost and another is added, against one worker.

    python -m benchmarks.elastic [--json] [--epochs 60] [--pace-s 0.1]

Two nodes of a Ray cluster on this machine have a core each; the training may have one or two
workers. After four epochs the second node ends without a word; four epochs of the worker that is
left later a node is added, which Ray Train looks for once a minute. An encoder waits ``--pace-s``
in every training step, so that all of that falls into the training. Every epoch must be there once,
and the weights must be those of one undisturbed worker with the same global batches.
"""

import argparse
import itertools
import json
import os
import pickle
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch
from safetensors.torch import load_file

from benchmarks.chaos import Nodes, end
from benchmarks.report import hardware
from benchmarks.resume import SAMPLES, SPECS
from benchmarks.training_inputs import write_inputs
from mmray.config.document import ClusterRuntime
from mmray.config.model.encoder import MlpEncoderConfig
from mmray.config.reading.load import check_document
from mmray.core.spec import FeatureSpec
from mmray.distributed.node.session import connect
from mmray.distributed.training.fitting import fit_runs, plan_workers
from mmray.models.build import build_encoder
from mmray.run.epoch_file import EPOCHS, epoch_lines
from mmray.run.training_run import TrainingJob, train_run
from mmray.training.parallel.worker_context import WorkerContext

UNDISTURBED = 4
"""Epochs before a node is lost, and before one is added."""
LOOK_S = 0.2


class PacedEncoder(torch.nn.Module):
    """An MLP that waits before every training step."""

    def __init__(self, spec: FeatureSpec, width: int, *, pace_s: float) -> None:
        super().__init__()
        config = MlpEncoderConfig(hidden=(32,), dropout=0)
        self.encoder = build_encoder(config, spec, width=width, name="text")
        self.pace_s = pace_s

    def forward(self, values: torch.Tensor, lengths: torch.Tensor | None):
        """Encode a batch, not too fast."""
        if self.training:
            time.sleep(self.pace_s)
        return self.encoder(values, lengths)


def make_plan(
    folder: Path, inputs: tuple[str, dict[str, str]], *, epochs: int, pace_s: float
) -> TrainingJob:
    """Return the training; without dropout, for its draws depend on who has which samples."""
    paced = {
        "kind": "custom",
        "factory": "benchmarks.elastic:PacedEncoder",
        "options": {"pace_s": pace_s},
    }
    document = {
        "name": "elastic",
        "data": {"manifest": "none"},
        "modalities": {
            "text": {"column": "text", "encode": paced},
            "audio": {"column": "audio", "encode": {"kind": "mlp", "hidden": [32], "dropout": 0}},
        },
        "tasks": {"label": {"kind": "classification", "column": "label"}},
        "model": {"width": 32, "dropout": 0, "modality_dropout": 0, "auxiliary": 0},
        "train": {
            "epochs": epochs, "batch_size": 32, "workers": {"min": 1, "max": 2}, "max_failures": 2,
        },
    }  # fmt: skip
    config = check_document(document, where="benchmark")
    folder.mkdir()
    manifest, features = inputs
    return TrainingJob("elastic", config, manifest, features, 0, str(folder))


class Course:
    """Watches the epochs of a training; loses the second node and adds one when it is time."""

    def __init__(self, nodes: Nodes, plan: TrainingJob) -> None:
        self._nodes, self._epochs = nodes, Path(plan.folder) / EPOCHS
        self.worlds: list[int] = []
        self.seen_at: list[float] = []
        self.added_after: int | None = None

    def follow(self, training: subprocess.Popen) -> None:
        """Return when the training has ended."""
        while training.poll() is None:
            self._look()
            time.sleep(LOOK_S)
        self._look()
        if training.returncode:
            raise SystemExit("the training failed")

    def _look(self) -> None:
        """Note how many workers each new epoch had, and do what it is time for."""
        for line in epoch_lines(self._epochs)[len(self.worlds) :]:
            self.worlds.append(len(line["weights_hashes"]))
            self.seen_at.append(time.monotonic())
            print(f"epoch {line['epoch']}: {self.worlds[-1]} worker(s)", file=sys.stderr)
            if len(self.worlds) == UNDISTURBED:
                self._nodes.lose()
            if self.added_after is None and self.worlds.count(1) == UNDISTURBED:
                self._nodes.add()
                self.added_after = len(self.worlds)


def train(plan: TrainingJob, address: str) -> None:
    """Train on the cluster: a process of its own, for nodes come and go in the other."""
    size = connect(ClusterRuntime(address=address))
    config = plan.config.train
    share = plan_workers(config, size)
    fit_runs([plan], config=config, share=share, storage=Path(plan.folder) / "ray")


def difference(plan: TrainingJob, other: TrainingJob) -> float:
    """Return the largest difference of any weight."""
    ours, theirs = (load_file(Path(p.folder) / "model.safetensors") for p in (plan, other))
    return max(float((ours[name] - theirs[name]).abs().max()) for name in ours)


def main() -> None:
    """Train once undisturbed, then elastically."""
    options = parse_options()
    if options.plan:
        train(pickle.loads(options.plan.read_bytes()), options.address)
        return
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory(prefix="mmray-el-") as temporary:
        folder = Path(temporary)
        inputs = write_inputs(folder / "inputs", SPECS, SAMPLES)
        alone = make_plan(folder / "alone", inputs, epochs=options.epochs, pace_s=0)
        train_run(
            alone, context=WorkerContext(), wrap=lambda view: view, on_epoch=lambda record: None
        )
        plan = make_plan(folder / "elastic", inputs, epochs=options.epochs, pace_s=options.pace_s)
        pickled = folder / "plan"
        pickled.write_bytes(pickle.dumps(plan))
        nodes = Nodes(folder / "ray")
        started = time.monotonic()
        command = [sys.executable, "-m", "benchmarks.elastic", "--plan", str(pickled)]
        training = subprocess.Popen([*command, "--address", nodes.address])
        try:
            course = Course(nodes, plan)
            course.follow(training)
            seconds = time.monotonic() - started
        finally:
            end(training)
            nodes.close()
        found = difference(plan, alone)
    worlds = course.worlds
    if len(worlds) != options.epochs or 2 not in worlds[course.added_after or len(worlds) :]:
        raise SystemExit("an epoch is missing, or the node that was added was never used")
    result = {
        "name": "elastic",
        "workers_by_epoch": worlds,
        "node_lost_after": UNDISTURBED,
        "node_added_after": course.added_after,
        "went_on_after_s": round(course.seen_at[UNDISTURBED] - course.seen_at[UNDISTURBED - 1], 1),
        "seconds": round(seconds, 1),
        "largest_difference": found,
        "hardware": hardware(),
    }
    print(json.dumps(result, indent=2) if options.json else describe(result))


def describe(result: dict[str, Any]) -> str:
    """Return the findings as lines."""
    worlds = result["workers_by_epoch"]
    changes = [
        f"{now} from epoch {epoch}"
        for epoch, (was, now) in enumerate(itertools.pairwise([0, *worlds]), start=1)
        if was != now
    ]
    return (
        f"{len(worlds)} epochs in {result['seconds']} s; workers: {', '.join(changes)}\n"
        f"after the loss of a node the next epoch took {result['went_on_after_s']} s\n"
        "largest difference of a weight from one undisturbed worker: "
        f"{result['largest_difference']:.1e}"
    )


def parse_options() -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--pace-s", type=float, default=0.1)
    parser.add_argument("--plan", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--address", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
