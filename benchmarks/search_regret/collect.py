"""Train random trials of the embedded corpus in this process, and store what each reached.

    python -m benchmarks.search_regret.collect [FILE] [--trials 220] [--work FOLDER]

Trial N is always the same sample of the space in ``search.yaml``, so that a run continues after the
last line of FILE. Features are extracted once by the product's own stages. The value is that of
the best epoch, as in a search.
"""

import argparse
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import optuna
import torch

from mmray.config.document import Config
from mmray.config.reading.load import load_config
from mmray.core.file.atomic import read_success
from mmray.data.demo_corpus.corpus import write_corpus
from mmray.run.training_job import TrainingJob
from mmray.run.training_run import train_run
from mmray.search.record import Sample
from mmray.search.sample import apply_sample
from mmray.search.space import suggest
from mmray.stages import extract, prepare
from mmray.stages.workspace import Workspace
from mmray.tracking.memory import MemoryTracker
from mmray.training.loop.plan import EpochRecord
from mmray.training.parallel.worker_context import WorkerContext

DOCUMENT = Path(__file__).with_name("search.yaml")
TRIALS = Path(__file__).with_name("trials.jsonl")
METRIC, SAMPLES = "val/digit/accuracy", 600


def load_trials(path: Path = TRIALS) -> list[dict[str, Any]]:
    """Return the stored trials: ``number``, ``sample``, ``value`` and ``seconds`` of each."""
    if not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def extracted(work: Path) -> Workspace:
    """Write the corpus, run the stages before training, and return their workspace."""
    manifest = work / "corpus" / "manifest.jsonl"
    if not manifest.is_file():
        write_corpus(work / "corpus", samples=SAMPLES)
    config = load_config(DOCUMENT, [f"data.manifest={manifest}", f"workspace={work / 'space'}"])
    workspace, tracker = Workspace(config), MemoryTracker()
    prepare.run(workspace, tracker)
    extract.run(workspace, tracker)
    return workspace


def train(workspace: Workspace, config: Config, folder: Path) -> list[float]:
    """Train the document of one trial and return its metric by epoch."""
    curve: list[float] = []

    def hear(record: EpochRecord) -> None:
        curve.append(record.metrics[METRIC])

    features = workspace.extracted.features
    job = TrainingJob(
        name="trial",
        config=config,
        manifest=str(workspace.prepared.path),
        features={name: str(features[name].folder) for name in config.modality_order()},
        seed=config.train.seed,
        folder=str(folder),
    )
    train_run(job, context=WorkerContext(), wrap=lambda model: model, on_epoch=hear)
    assert read_success(folder) is not None
    return curve


def sample_of(workspace: Workspace, number: int) -> Sample:
    """Return the sample of a trial; of number 0, the document as it is."""
    if number == 0:
        return {}
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=number))
    return suggest(study.ask(), workspace.config.search_section().space)


def collect(path: Path, trials: int, work: Path) -> None:
    """Train the trials that ``path`` lacks, and add a line for each."""
    workspace = extracted(work)
    done = {trial["number"] for trial in load_trials(path)}
    for number in sorted(set(range(trials)) - done):
        sample, started = sample_of(workspace, number), time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            config = apply_sample(workspace.config, sample)
            curve = train(workspace, config, Path(folder))
        seconds = round(time.monotonic() - started, 2)
        stored = {name: shortened(value) for name, value in sample.items()}
        line = {"number": number, "sample": stored, "value": round(max(curve), 5)}
        with path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(line | {"seconds": seconds}) + "\n")
        print(f"trial {number}: {max(curve):.3f} in {seconds} s", flush=True)


def shortened(value: Any) -> Any:
    """Return a value of a sample as it is stored: a float with five digits."""
    return float(f"{value:.5g}") if isinstance(value, float) else value


def main() -> None:
    """Collect and say where."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path, nargs="?", default=TRIALS)
    parser.add_argument("--trials", type=int, default=220)
    parser.add_argument("--work", type=Path, help="kept, so that a later run resumes")
    options = parser.parse_args()
    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with tempfile.TemporaryDirectory(prefix="mmray-regret-") as temporary:
        collect(options.file, options.trials, (options.work or Path(temporary)).resolve())
    print(f"{len(load_trials(options.file))} trials in {options.file}")


if __name__ == "__main__":
    main()
