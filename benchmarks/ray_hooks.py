"""What each hook into Ray's private parts saves: the command that it serves, with and without it.

    python -m benchmarks.ray_hooks [--json] [--rounds 4] [--only start extract train]

``start`` connects to a local node, waits five seconds and ends; ``extract`` and ``train`` are the
commands of mmray on the embedded corpus. Each runs with all hooks, without each hook and without
any, in turn; the order moves on with every round. ``cpu_s`` counts all processes of the command,
``processes`` and ``mib`` (proportional set size) are the most that ran at a time. A saving is the
median, over the rounds, of the difference within a round.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.processes import Cost, run
from benchmarks.report import hardware
from mmray.data.demo_corpus.corpus import write_corpus
from mmray.distributed.ray_internals.hook import PLAIN, Hook

ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT / "workflows" / "configs" / "quickstart.yaml"
SAMPLES, IDLE_S = 300, 5.0
ALL, NONE = "", "1"
"""Values of the switch: no hook is off, or every hook."""
HOOKS: Mapping[str, Sequence[Hook]] = {
    "start": (Hook.NODE, Hook.AGENT),
    "extract": (Hook.DATA_FIGURES, Hook.DATA_NODES, Hook.DATA_LOCATIONS),
    "train": (Hook.TRAIN_DATASETS, Hook.TRAIN_CLEANER, Hook.TRAIN_NODES),
}
"""By command, the hooks that serve it. The others are there for safety, not for speed."""
PAST = {"prepare": "prepared", "extract": "extracted"}
"""By verb, the folder with the workspace after it."""
CONNECT = f"""
import time
from mmray.config.document import LocalRuntime
from mmray.distributed.node.session import connect
connect(LocalRuntime(cpus=2))
time.sleep({IDLE_S})
"""


def prepare(folder: Path) -> list[str]:
    """Write a corpus, prepare and extract it, and copy the workspace after each of the two.

    Returns the options of the commands.
    """
    manifest = write_corpus(folder / "corpus", samples=SAMPLES, seed=3).manifest
    values = (f"data.manifest={manifest}", "train.epochs=2", "train.workers=1")
    options = [str(DOCUMENT), *(word for value in values for word in ("--set", value))]
    work = ["--set", f"workspace={folder / 'work'}"]
    for verb in ("prepare", "extract"):
        subprocess.run(
            [sys.executable, "-m", "mmray", verb, *options, *work],
            check=True, capture_output=True, env=os.environ | {"PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        shutil.copytree(folder / "work", folder / PAST[verb])
    return [*options, *work]


def run_once(verb: str, turned_off: str, folder: Path, options: Sequence[str]) -> Cost:
    """Run one command on a workspace in which what comes before it is complete."""
    environment = os.environ | {PLAIN: turned_off, "PYTHONPATH": str(ROOT)}
    if verb == "start":
        return run([sys.executable, "-c", CONNECT], environment)
    before = PAST["prepare" if verb == "extract" else "extract"]
    shutil.rmtree(folder / "work", ignore_errors=True)
    shutil.copytree(folder / before, folder / "work")
    return run([sys.executable, "-m", "mmray", verb, *options], environment)


def measure(verb: str, rounds: int, folder: Path, options: Sequence[str]) -> dict[str, list[Cost]]:
    """Run a command in each variant, in turn."""
    variants = [ALL, *HOOKS[verb], NONE]
    found: dict[str, list[Cost]] = {each: [] for each in variants}
    for number in range(rounds):
        start = number % len(variants)
        for each in variants[start:] + variants[:start]:
            found[each].append(run_once(verb, each, folder, options))
    return found


def rows(verb: str, found: Mapping[str, Sequence[Cost]]) -> list[dict[str, object]]:
    """Return, for each hook, what the command took with all hooks, and what the hook saves."""
    table: list[dict[str, object]] = []
    for variant, costs in found.items():
        if variant == ALL:
            continue
        row: dict[str, object] = {"command": verb, "hook": variant if variant != NONE else "all"}
        for figure in ("seconds", "cpu_s", "processes", "mib"):
            with_all = [getattr(cost, figure) for cost in found[ALL]]
            saved = [getattr(cost, figure) - own for cost, own in zip(costs, with_all, strict=True)]
            row[figure] = {
                "with": round(statistics.median(with_all), 2),
                "saved": round(statistics.median(saved), 2),
                "least": round(min(saved), 2),
                "most": round(max(saved), 2),
            }
        table.append(row)
    return table


def main() -> None:
    """Measure the commands that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.add_argument("--rounds", type=int, default=4, help="how often each variant is run")
    parser.add_argument("--only", nargs="+", choices=list(HOOKS), default=list(HOOKS))
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        options = prepare(folder) if set(chosen.only) != {"start"} else []
        costs = {verb: measure(verb, chosen.rounds, folder, options) for verb in chosen.only}
    table = [row for verb, found in costs.items() for row in rows(verb, found)]
    if chosen.json:
        raw = {
            f"{verb} {variant or 'with'}": [asdict(cost) for cost in each]
            for verb, found in costs.items()
            for variant, each in found.items()
        }
        print(json.dumps({"table": table, "runs": raw, "hardware": hardware()}, indent=2))
        return
    for row in table:
        print(f"{row['command']}, without {row['hook']}")
        for figure in ("seconds", "cpu_s", "processes", "mib"):
            print(f"  {figure:10} {row[figure]}")


if __name__ == "__main__":
    main()
