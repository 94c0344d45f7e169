"""Accuracy with every subset of the modalities, trained with and without modality dropout.

    python -m benchmarks.subsets [--json] [--rounds 5] [--first-seed 100] [--incomplete]
        [--work FOLDER]

The embedded corpus and the quickstart's document, with the default fusion (``concat``) and without
``model.auxiliary``, so that dropout is measured alone. Trained on the samples that have every
modality: from what a corpus lacks by itself, a fusion learns to do without, too; ``--incomplete``
keeps those samples. Features are extracted once by the product's own stages; the fusions are
trained by its own loop in this process, with the same epochs. Each is evaluated on the test
split with every subset of the modalities that a sample has; the encoders run once for all.
What FOLDER holds already is not done again. The figure: by how much accuracy falls when one
modality is dropped, mean over the modalities, without dropout over with it. Both ways share their
seeds; benchmarks/RESULTS.md has other settings, and the seeds with which this one was chosen.
``less_by`` is the mean of the differences seed by seed, with its standard error.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch

from benchmarks.report import hardware
from mmray.config.document import Config
from mmray.config.reading.load import load_config
from mmray.core.file.atomic import read_success
from mmray.data.demo_corpus.corpus import write_corpus
from mmray.evaluation.ablation import subset_name, subsets_of
from mmray.run.training_run import TrainingJob, train_run
from mmray.stages import extract, prepare
from mmray.stages.evaluation.predictions import evaluate_variants
from mmray.stages.training.variant import fusion_variant, run_folder
from mmray.stages.workspace import Workspace
from mmray.tracking.memory import MemoryTracker
from mmray.training.parallel.worker_context import WorkerContext

DOCUMENT = Path(__file__).parents[1] / "workflows" / "configs" / "quickstart.yaml"
TASK, RATE, EPOCHS = "digit", 0.5, 15
COMMON = ("model.fusion={kind: concat}", "model.auxiliary=0.0", f"train.epochs={EPOCHS}")
COLUMNS = ("note", "photo", "speech")
WAYS = {"without": 0.0, "with": RATE}
"""Name -> ``model.modality_dropout``."""
Subsets = dict[str, float]
"""Accuracy by the name of a subset."""


def configure(manifest: Path, work: Path, dropout: float) -> Config:
    """Return the quickstart's document with this corpus, workspace and settings."""
    places = (f"data.manifest={manifest}", f"workspace={work}")
    return load_config(DOCUMENT, [*places, *COMMON, f"model.modality_dropout={dropout}"])


def ablation(config: Config, seed: int) -> Subsets:
    """Train one fusion in this process; return its accuracy on the test split by subset."""
    workspace = Workspace(config)
    variant, features = fusion_variant(config, seed), workspace.extracted.features
    folder = run_folder(workspace, variant)
    if read_success(folder) is None:
        folder.mkdir(parents=True, exist_ok=True)
        plan = TrainingJob(
            name=variant.name,
            config=config,
            manifest=str(workspace.prepared.path),
            features={name: str(features[name].folder) for name in variant.modalities},
            seed=seed,
            folder=str(folder),
        )
        train_run(plan, context=WorkerContext(), wrap=lambda model: model, on_epoch=lambda _: None)
    evaluated = evaluate_variants([variant], workspace)[0].ablation[TASK]
    return {name: result.value() for name, result in evaluated.items()}


def loss_of_one(found: Subsets, modalities: tuple[str, ...]) -> float:
    """Return how many points a dropped modality costs, mean over the modalities."""
    whole, *smaller = (subset_name(subset) for subset in subsets_of(modalities))
    less = smaller[: len(modalities)]  # all but one
    return 100 * (found[whole] - statistics.mean(found[name] for name in less))


def with_complete_train_samples(manifest: Path) -> Path:
    """Write a manifest beside that leaves out the train samples without one of the modalities."""
    kept = manifest.with_name("complete.jsonl")
    with manifest.open(encoding="utf-8") as lines, kept.open("w", encoding="utf-8") as stream:
        for line in lines:
            row = json.loads(line)
            if row["split"] != "train" or all(row[column] is not None for column in COLUMNS):
                stream.write(line)
    return kept


def measure(
    options: argparse.Namespace, work: Path
) -> tuple[dict[str, list[Subsets]], tuple[str, ...]]:
    """Return the accuracies of each way, one per seed, and the modalities."""
    torch.set_num_threads(options.threads)
    manifest = write_corpus(work / "corpus", samples=options.samples).manifest
    if not options.incomplete:
        manifest = with_complete_train_samples(manifest)
    configs = {way: configure(manifest, work, dropout) for way, dropout in WAYS.items()}
    tracker, first = MemoryTracker(), configs["without"]
    workspace = Workspace(first)
    prepare.run(workspace, tracker)
    extract.run(workspace, tracker)
    seeds = range(options.first_seed, options.first_seed + options.rounds)
    found = {way: [ablation(config, seed) for seed in seeds] for way, config in configs.items()}
    return found, first.modality_order()


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.add_argument("--rounds", type=int, default=5, help="seeds of each way")
    parser.add_argument("--first-seed", type=int, default=100)
    parser.add_argument("--samples", type=int, default=5000, help="of the embedded corpus")
    parser.add_argument("--incomplete", action="store_true", help="train on all that is there")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--work", type=Path, help="keep what is made here")
    options = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mmray-subsets-") as temporary:
        found, modalities = measure(options, options.work or Path(temporary))
    losses = {way: [loss_of_one(run, modalities) for run in runs] for way, runs in found.items()}
    ours, other = statistics.mean(losses["with"]), statistics.mean(losses["without"])
    less_by = [a - b for a, b in zip(losses["without"], losses["with"], strict=True)]
    settings = {
        "samples": options.samples, "incomplete": options.incomplete, "epochs": EPOCHS,
        "modality_dropout": RATE, "rounds": options.rounds, "first_seed": options.first_seed,
        "threads": options.threads,
        "seconds": round(time.monotonic() - started),
    }  # fmt: skip
    document = {
        "name": "subsets", "ours": ours, "other": other, "ratio": other / ours,
        "unit": "points of accuracy lost by dropping one modality", "other_name": "no dropout",
        "claim": "with modality dropout, dropping one modality costs less",
        "less_by": {"mean": statistics.mean(less_by), "standard_error": standard_error(less_by)},
        "rounds": losses, "subsets": found, "settings": settings, "hardware": hardware(),
    }  # fmt: skip
    if options.json:
        print(json.dumps(document, indent=2))
        return
    print(f"{'test accuracy, %':<18}" + "".join(f"{way:>18}" for way in WAYS))
    for name in (subset_name(subset) for subset in subsets_of(modalities)):
        print(f"{name:<18}" + "".join(cell([r[name] for r in found[way]]) for way in WAYS))
    print(f"{'lost by one':<18}" + "".join(f"{statistics.mean(losses[way]):18.1f}" for way in WAYS))
    print(f"ratio {other / ours:.3f} (without over with; above 1: dropout helps)")
    error = standard_error(less_by)
    print(f"less by {statistics.mean(less_by):.2f} points, standard error {error:.2f}")
    print(f"settings: {json.dumps(settings)}")
    print(f"hardware: {json.dumps(document['hardware'])}")


def standard_error(values: list[float]) -> float:
    """Return the standard error of the mean; of one value, zero."""
    return statistics.stdev(values) / len(values) ** 0.5 if len(values) > 1 else 0.0


def cell(values: list[float]) -> str:
    """Return mean and deviation in percent."""
    deviation = 100 * statistics.stdev(values) if len(values) > 1 else 0.0
    return f"{100 * statistics.mean(values):10.1f} +- {deviation:4.1f}"


if __name__ == "__main__":
    main()
