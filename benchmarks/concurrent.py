"""Two commands at once in one workspace, in every pair of stages, and five at once.

    python -m benchmarks.concurrent [--json] [--samples 60] [--seed N]

Two documents share a workspace and its features: one of all samples, one of every second sample.
Nothing may be mixed up. First both run alone. Then, for each pair of stages, what the first
document's stage and the second one's had left is removed and both are started at the same time, in
random order a moment apart. A command must end as it did alone, with the same figures; or it must
say that the features belong to other samples now, and end so after the earlier stage ran again.
Last, five commands at once: five stages, and five complete workflows in a new workspace.
"""

import argparse
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from itertools import combinations_with_replacement
from pathlib import Path
from typing import Any

from benchmarks.report import hardware
from mmray.data.demo_corpus.corpus import write_corpus

ROOT = Path(__file__).parents[1]
STAGES = ("prepare", "extract", "train", "evaluate")
LIMIT_S = 280.0
SAYS_SO = ("were made from other samples", "has not been run for this document and corpus")
NOT_COMPARED = ("samples_per_s",)
DOCUMENT = """
name: {name}
workspace: work
data: {{manifest: {manifest}}}
modalities:
  text: {{column: note, extract: {{kind: tfidf, vocabulary: 100}}, encode: {{kind: linear}}}}
tasks: {{digit: {{kind: classification, column: digit}}}}
model: {{width: 8}}
train: {{epochs: 2, batch_size: 16, workers: 1}}
evaluation: {{alone: false, resamples: 100}}
"""


def write_documents(folder: Path, samples: int, seed: int) -> None:
    """Write the corpus, and a document of all of it and one of a half."""
    manifest = write_corpus(folder / "corpus", samples=samples, seed=seed).manifest
    lines = manifest.read_text(encoding="utf-8").splitlines(keepends=True)
    half = manifest.with_name("half.jsonl")
    half.write_text("".join(lines[::2]), encoding="utf-8")
    for name, path in (("all", manifest), ("half", half)):
        text = DOCUMENT.format(name=name, manifest=path.relative_to(folder))
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")


def start(folder: Path, stage: str, document: str) -> subprocess.Popen[str]:
    """Start a stage, or a complete workflow, as a person does."""
    workflow = [str(ROOT / "workflows" / "fusion.py")]
    program = workflow if stage == "workflow" else ["-m", "mmray", stage]
    return subprocess.Popen(
        [sys.executable, *program, f"{document}.yaml", "--json"],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def outcome(process: subprocess.Popen[str]) -> tuple[str, dict[str, Any]]:
    """Return how a command ended, ``ended``, ``said so`` or what is wrong, and its report."""
    try:
        out, err = process.communicate(timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        return f"no end: {process.communicate()[1][-2000:]}", {}
    if process.returncode == 0:
        return "ended", json.loads(out)
    if any(words in err for words in SAYS_SO) and "Traceback" not in err:
        return "said so", {}
    return f"exit {process.returncode}: {err[-2000:]}", {}


def figures(report: dict[str, Any]) -> str:
    """Return what of a report must be the same in every run."""
    metrics = {k: v for k, v in report["metrics"].items() if not k.endswith(NOT_COMPARED)}
    samples = {k: v for k, v in report["counts"].items() if k not in ("modalities", "train")}
    return json.dumps([report["fingerprint"], metrics, samples], sort_keys=True)


class Trial:
    """A folder whose documents were run alone, and how that ended."""

    def __init__(self, root: Path, options: argparse.Namespace) -> None:
        self.chance = random.Random(options.seed)
        self.complete, self.folder = root / "complete", root / "at-work"
        self.complete.mkdir()
        write_documents(self.complete, options.samples, options.seed)
        self.alone: dict[tuple[str, str], dict[str, Any]] = {}
        for document in ("all", "half"):
            for stage in STAGES:
                how, report = outcome(start(self.complete, stage, document))
                assert how == "ended", how
                self.alone[stage, document] = report
        self.counts: Counter[str] = Counter()
        self.wrong: list[str] = []

    def forget(self, stage: str, document: str) -> None:
        """Remove what a stage of a document has left, so that there is something to do."""
        shutil.rmtree(self.folder / self.alone[stage, document]["folder"], ignore_errors=True)

    def at_once(self, commands: list[tuple[str, str]]) -> None:
        """Run commands at the same time in a copy of the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)
        # With the times of its files: they are part of what a payload is known by.
        subprocess.run(["cp", "-a", self.complete, self.folder], check=True)
        for command in commands:
            self.forget(*command)
        processes = []
        for command in self.chance.sample(commands, len(commands)):
            processes.append((command, start(self.folder, *command)))
            time.sleep(self.chance.uniform(0.0, 0.5))
        for command, process in processes:
            self.evaluate(command, *outcome(process))

    def evaluate(self, command: tuple[str, str], how: str, report: dict[str, Any]) -> None:
        """Count how a command ended, and compare its figures."""
        if how == "said so":
            self.counts[how] += 1
            report = self.again(command)
        elif how == "ended":
            self.counts[how] += 1
        is_same = bool(report) and figures(report) == figures(self.alone[command])
        if not is_same:
            self.wrong.append(f"{command}: {how}")
        print(*command, how, "same" if is_same else "WRONG", file=sys.stderr, flush=True)

    def again(self, command: tuple[str, str]) -> dict[str, Any]:
        """Do what the error says: run the stages before, then this one."""
        stage, document = command
        for each in STAGES[: STAGES.index(stage) + 1]:
            how, report = outcome(start(self.folder, each, document))
            if how != "ended":
                return {}
        return report

    def from_nothing(self) -> None:
        """Five complete workflows at once in a new workspace."""
        shutil.rmtree(self.folder, ignore_errors=True)
        subprocess.run(["cp", "-a", self.complete, self.folder], check=True)
        shutil.rmtree(self.folder / "work")
        names = ["all", "half", "all", "half", "all"]
        processes = [(name, start(self.folder, "workflow", name)) for name in names]
        for name, process in processes:
            self.evaluate(("evaluate", name), *outcome(process))


def main() -> None:
    """Run all of it and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--samples", type=int, default=60)
    parser.add_argument("--seed", type=int, default=2026)
    options = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as root:
        trial = Trial(Path(root), options)
        pairs = list(combinations_with_replacement(STAGES, 2))
        for first, second in pairs:
            trial.at_once([(first, "all"), (second, "half")])
        trial.at_once([*((stage, "all") for stage in STAGES), ("evaluate", "half")])
        trial.from_nothing()
    found = {
        "pairs": len(pairs), "commands": 2 * len(pairs) + 10, **trial.counts,
        "wrong": trial.wrong, "seconds": round(time.monotonic() - started),
    }  # fmt: skip
    if options.json:
        print(json.dumps(found | {"hardware": hardware()}, indent=2))
        return
    print(
        f"{found['commands']} commands, {len(pairs)} pairs of stages and five at once twice: "
        f"{trial.counts['ended']} ended as alone, {trial.counts['said so']} said what to run "
        f"first, {len(trial.wrong)} went wrong ({found['seconds']} s)"
    )
    print("\n".join(trial.wrong))


if __name__ == "__main__":
    main()
