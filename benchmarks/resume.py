"""Kill a training at a random step, resume, and compare the weights with the undisturbed run's.

    python -m benchmarks.resume [--json] [--ray] [--kills 10] [--seed N]

Each kill is of a training of its own, by SIGKILL, from within the forward pass that chance has
chosen, in training or in validation; then it is started again and runs to its end. Weights must be
equal bit by bit. Without --ray a process runs the loop of one worker; with it, Ray Train does, and
starts the worker again by itself.
"""

import argparse
import json
import os
import random
import signal
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch
from safetensors.torch import load_file

from benchmarks.report import hardware
from benchmarks.training_inputs import write_inputs
from mmray.config.document import LocalRuntime
from mmray.config.model.encoder import MlpEncoderConfig
from mmray.config.reading.load import check_document
from mmray.core.kind import Kind
from mmray.core.spec import FeatureSpec
from mmray.distributed.node.session import connect
from mmray.distributed.training.fitting import WorkerShare, fit_runs
from mmray.models.build import build_encoder
from mmray.run.training_run import TrainingJob, train_run
from mmray.training.parallel.worker_context import WorkerContext

SAMPLES, EPOCHS, BATCH = 512, 6, 32
SPECS = {
    "text": FeatureSpec(Kind.TEXT, "vector", (48,), "float32"),
    "audio": FeatureSpec(Kind.AUDIO, "vector", (32,), "float32"),
}
TRAIN = {
    "epochs": EPOCHS, "batch_size": BATCH, "schedule": "one_cycle", "warmup": 0.3, "ema": 0.95,
    "soup": 3, "accumulate": 2, "sampling": "balanced", "max_failures": 2,
}  # fmt: skip

calls = 0
"""Forward passes of this process."""


class MortalEncoder(torch.nn.Module):
    """An MLP that kills its process in the forward pass number ``at``, once."""

    def __init__(self, spec: FeatureSpec, width: int, *, at: int, scar: str) -> None:
        super().__init__()
        config = MlpEncoderConfig(hidden=(32,), dropout=0.2)
        self.encoder = build_encoder(config, spec, width=width, name="text")
        self.at, self.scar = at, Path(scar)

    def forward(self, values: torch.Tensor, lengths: torch.Tensor | None):
        """Encode a batch, or die."""
        global calls
        calls += 1
        if calls == self.at and not self.scar.exists():
            self.scar.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return self.encoder(values, lengths)


def make_plan(
    folder: Path, inputs: tuple[str, dict[str, str]], name: str, *, at: int
) -> TrainingJob:
    """Return a training that dies in forward pass ``at``; zero is none."""
    mortal = {
        "kind": "custom",
        "factory": "benchmarks.resume:MortalEncoder",
        "options": {"at": at, "scar": str(folder / f"{name}.scar")},
    }
    document = {
        "name": "resume",
        "data": {"manifest": "none"},
        "modalities": {
            "text": {"column": "text", "encode": mortal},
            "audio": {"column": "audio", "encode": {"kind": "mlp", "hidden": [32]}},
        },
        "tasks": {"label": {"kind": "classification", "column": "label"}},
        "model": {"width": 32, "fusion": {"kind": "gated"}, "modality_dropout": 0.1},
        "train": TRAIN,
    }
    config = check_document(document, where="benchmark")
    manifest, features = inputs
    (folder / name).mkdir(exist_ok=True)
    return TrainingJob(name, config, manifest, features, 0, str(folder / name))


def in_process(plan: TrainingJob) -> int:
    """Train in a process of its own and return how it ended: 0, or the signal that killed it."""
    child = os.fork()
    if child == 0:
        try:
            torch.set_num_threads(1)
            train_run(
                plan, context=WorkerContext(), wrap=lambda view: view, on_epoch=lambda record: None
            )
            Path(plan.folder, "calls").write_text(str(_mortal().calls))
            os._exit(0)
        except BaseException as error:
            print(repr(error))
            os._exit(1)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if code > 0:
        raise SystemExit(f"the training {plan.name} failed")
    return -code


def train_with_kill(plan: TrainingJob) -> None:
    """Train, see it die, and train on."""
    if in_process(plan) != signal.SIGKILL:
        raise SystemExit(f"the training {plan.name} was not killed")
    in_process(plan)


def train_on_ray(plan: TrainingJob) -> None:
    """Train on one worker; Ray Train starts it again when it has died."""
    share = WorkerShare(workers=1, cpus=1, use_gpu=False)
    fit_runs([plan], config=plan.config.train, share=share, storage=Path(plan.folder) / "ray")


def differs(plan: TrainingJob, other: TrainingJob) -> bool:
    """Return whether any bit of the weights differs."""
    ours, theirs = (load_file(Path(p.folder) / "model.safetensors") for p in (plan, other))
    return set(ours) != set(theirs) or any(
        ours[name].numpy().tobytes() != theirs[name].numpy().tobytes() for name in ours
    )


def _mortal():
    """This module as the factory has loaded it: it counts the calls."""
    import benchmarks.resume

    return benchmarks.resume


def main() -> None:
    """Train once undisturbed, then as often as asked with a kill."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.add_argument("--ray", action="store_true", help="through Ray Train")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    options = parser.parse_args()
    started, chance = time.monotonic(), random.Random(options.seed)
    different, points = [], []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        inputs = write_inputs(folder / "inputs", SPECS, SAMPLES)
        whole = make_plan(folder, inputs, "undisturbed", at=0)
        in_process(whole)
        total = int(Path(whole.folder, "calls").read_text())
        if options.ray:
            connect(LocalRuntime())
        for number in range(options.kills):
            points.append(chance.randint(1, total))
            killed = make_plan(folder, inputs, f"killed-{number}", at=points[-1])
            (train_on_ray if options.ray else train_with_kill)(killed)
            if not Path(f"{killed.folder}.scar").exists():
                raise SystemExit(f"the training {killed.name} was not killed")
            different += [points[-1]] if differs(killed, whole) else []
            if not options.json:
                outcome = "DIFFERENT" if differs(killed, whole) else "the same weights"
                print(f"killed in forward pass {points[-1]:4d} of {total}: {outcome}", flush=True)
    found = {
        "name": "resume",
        "kills": options.kills,
        "different": len(different),
        "seed": options.seed,
        "killed_in_pass": points,
        "settings": {
            "passes": total, "samples": SAMPLES, "ray": options.ray, "train": TRAIN,
            "seconds": round(time.monotonic() - started, 1),
        },
        "hardware": hardware(),
    }  # fmt: skip
    if options.json:
        print(json.dumps(found, indent=2))
    else:
        print(f"{options.kills} kills, {len(different)} different; seed {options.seed}, "
              f"{found['settings']['seconds']} s")  # fmt: skip
    raise SystemExit(1 if different else 0)


if __name__ == "__main__":
    main()
