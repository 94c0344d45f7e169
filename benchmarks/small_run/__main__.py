"""A small run from raw files to a model, by parts, against another checkout of mmray.

    python -m benchmarks.small_run --base CHECKOUT [--json] [--rounds 5]

600 samples of text, picture and sound, the quickstart's document with 5 epochs and one seed: the
fusion and each modality alone. Each round has a seed of its own, and each checkout runs it once, in
turn; ``ratio`` is the median, over the rounds, of the wall times' ratio. ``cpu_s`` counts all
processes of a run. Parts may overlap, so they need not add up to the whole.
"""

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.processes import run
from benchmarks.report import Comparison, add_options, tell
from mmray.data.demo_corpus.corpus import write_corpus
from mmray.run.epoch_file import EPOCHS, epoch_lines

ROOT = Path(__file__).parents[2]
CHILD = Path(__file__).with_name("child.py")
DOCUMENT = ROOT / "workflows" / "configs" / "quickstart.yaml"
SAMPLES = 600
VALUES = ("train.epochs=5", "evaluation.seeds=1")
OURS, BASE = "ours", "base"


@dataclass(frozen=True, slots=True)
class SmallRun:
    """One run."""

    seed: int
    seconds: float
    cpu_s: float
    accuracy: float
    """Of the fusion, for the digit, on test."""
    parts: Mapping[str, float]
    """Seconds by part."""


def run_once(checkout: Path, manifest: Path, seed: int) -> SmallRun:
    """Run the workflow of a checkout in a new workspace."""
    with tempfile.TemporaryDirectory(prefix="mmray-small-run-") as name:
        folder = Path(name)
        output, work = folder / "parts.json", folder / "work"
        values = (*VALUES, f"data.manifest={manifest}", f"workspace={work}", f"train.seed={seed}")
        cost = run(
            [sys.executable, str(CHILD), str(output), str(DOCUMENT), *values],
            os.environ | {"PYTHONPATH": str(checkout)},
            folder,
        )
        found = json.loads(output.read_text(encoding="utf-8"))
        epochs = {
            path.parent.name: sum(line["seconds"] for line in epoch_lines(path))
            for path in work.glob(f"train/*/*/{EPOCHS}")
        }
        shutil.rmtree(work)
    accuracy = found["metrics"]["fusion"]["digit"]["accuracy"]
    parts = parts_of(found, epochs, cost.seconds)
    return SmallRun(seed, cost.seconds, cost.cpu_s, accuracy, parts)


def parts_of(found: dict[str, Any], epochs: Mapping[str, float], whole: float) -> dict[str, float]:
    """Return the seconds of each part."""
    spans: Sequence[tuple[str, float, float]] = found["parts"]

    def within(name: str, outer: str = "") -> float:
        """Return the seconds of a part, or of its calls within another one."""
        bounds = [(begun, ended) for each, begun, ended in spans if each == outer] or [(0, whole)]
        return sum(
            ended - begun
            for each, begun, ended in spans
            for first, last in bounds
            if each == name and first <= begun and ended <= last
        )

    fusion = epochs["fusion"]
    alone = sum(epochs.values()) - fusion
    return {
        "loading": found["begun"],
        "prepare": within("prepare") - within("mlflow", "prepare"),
        "MLflow": within("mlflow"),
        "start of Ray": within("ray"),
        "extract": within("extract") - within("ray", "extract"),
        "train: before, between and after epochs": within("train") - fusion,
        "train: epochs": fusion,
        "evaluate: before, between and after epochs": within("trainings", "evaluate") - alone,
        "evaluate: epochs": alone,
        "evaluate: the rest": within("evaluate") - within("trainings", "evaluate"),
        "end": whole - found["ended"],
    }


def medians(runs: Iterable[SmallRun]) -> dict[str, float]:
    """Return the median of each part, and of the processor time."""
    each = [run.parts | {"whole": run.seconds, "cpu_s": run.cpu_s} for run in runs]
    return {name: round(statistics.median(one[name] for one in each), 2) for name in each[0]}


def main() -> None:
    """Run both checkouts in turn."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser)
    parser.add_argument("--base", type=Path, required=True, help="another checkout of mmray")
    options = parser.parse_args()
    checkouts = {OURS: ROOT, BASE: options.base.resolve()}
    runs: dict[str, list[SmallRun]] = {OURS: [], BASE: []}
    with tempfile.TemporaryDirectory(prefix="mmray-small-run-") as name:
        manifest = write_corpus(Path(name), samples=SAMPLES).manifest
        for seed in range(options.rounds):
            for way in (OURS, BASE) if seed % 2 else (BASE, OURS):
                runs[way].append(run_once(checkouts[way], Path(manifest), seed))
                print(json.dumps({way: asdict(runs[way][-1])}), file=sys.stderr, flush=True)
    tell(
        Comparison(
            name="small_run",
            claim="a run of 600 samples of text, picture and sound, 5 epochs, against --base",
            unit="s",
            ours=[each.seconds for each in runs[OURS]],
            other=[each.seconds for each in runs[BASE]],
            other_name=str(options.base),
            is_larger_better=False,
            is_paired=True,
            settings={
                "samples": SAMPLES, "values": VALUES, "rounds": options.rounds,
                "parts_s": {way: medians(each) for way, each in runs.items()},
                "accuracy": {way: [one.accuracy for one in each] for way, each in runs.items()},
            },
        ),
        as_json=options.json,
    )  # fmt: skip


if __name__ == "__main__":
    main()
