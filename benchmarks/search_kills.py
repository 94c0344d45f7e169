"""A search that is killed again and again, against the same search undisturbed.

    python -m benchmarks.search_kills [--kills 10] [--trials 8] [--seed 0]

At random moments SIGKILL ends the search's process, the process of the trial that runs, or the node
(Ray's raylet); then the same command is given again. Trials run one at a time, with the same seed.
Prints each kill, whether a finished trial was trained again, and whether the tables are equal.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import psutil

from benchmarks.search_overhead import SPECS, make_job, plan_trial
from benchmarks.training_inputs import write_inputs
from mmray.core.file.atomic import SUCCESS, read_json, write_json
from mmray.search.study import JOURNAL, read_trials

SAMPLES, EPOCHS = 1024, 6
LATEST_S = 6.0
"""After the first change of the study by a process, or after its start, when it is killed."""
STARTING = 0.2
"""Share of the kills that are counted from the start of a process."""
LOCK = "trial.lock"
VICTIMS = ("driver", "trial", "node")


def search(place: Path, folder: Path, trials: int) -> None:
    """Run or resume the search."""
    from mmray.config.document import LocalRuntime
    from mmray.config.training.search import SearchConfig
    from mmray.distributed.node.session import connect
    from mmray.distributed.search.searching import search_trials

    inputs = read_json(place / "inputs.json")
    job = make_job(folder, (inputs["manifest"], inputs["features"]), epochs=EPOCHS)
    search_trials(
        partial(plan_trial, job=job),
        search=SearchConfig(
            objective=[{"metric": "val/loss"}],
            trials=trials,
            concurrent=1,
            stop={"kind": "asha", "grace_epochs": 2, "reduction": 2},
            space={"train.lr": {"loguniform": [1e-5, 1e-1]}},
        ),
        document={"train.lr": 1e-4},
        train=job.config.train,
        size=connect(LocalRuntime(cpus=2)),
        folder=folder,
        on_epoch=lambda *_: None,
        on_change=lambda *_: None,
    )


def start(place: Path, folder: Path, trials: int) -> subprocess.Popen[bytes]:
    """Start the search in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.search_kills", "--child", str(place)]
    command += ["--folder", str(folder), "--trials", str(trials)]
    with (place / "log.txt").open("a") as log:
        return subprocess.Popen(command, stdout=log, stderr=log)


def table(folder: Path) -> list[Any]:
    """Return of each trial what must not depend on a kill."""
    return [
        (r.number, r.sample, r.state, r.values, r.epochs, r.reason) for r in read_trials(folder)
    ]


def finished(folder: Path) -> dict[int, int]:
    """Return when each trial that has ended wrote its model; zero where it was stopped early."""
    return {
        record.number: written.stat().st_mtime_ns if written.is_file() else 0
        for record in read_trials(folder)
        if record.state != "running"
        for written in [Path(record.folder) / SUCCESS]
    }


def kill(victim: str, process: subprocess.Popen[bytes], folder: Path) -> bool:
    """Kill a part of a search; return whether it was there."""
    if victim == "driver":
        process.kill()
        process.wait()
        return True
    if victim == "node":
        below = psutil.Process(process.pid).children(recursive=True)
        pids = [each.pid for each in below if each.name() == "raylet"]
    else:
        running = [record for record in read_trials(folder) if record.state == "running"]
        locks = [Path(record.folder) / LOCK for record in running]
        pids = [int(lock.read_text() or 0) for lock in locks if lock.is_file()]
    pids = [pid for pid in pids if pid and psutil.pid_exists(pid)]
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    if victim == "node" and pids:
        process.wait()
    return bool(pids)


def wait_for_change(process: subprocess.Popen[bytes], folder: Path) -> None:
    """Wait until a search has written to its study, or has ended."""
    journal, began = folder / JOURNAL, time.time()
    while process.poll() is None:
        if journal.is_file() and journal.stat().st_mtime > began:
            return
        time.sleep(0.05)


def report(kills: int, victim: str, folder: Path) -> None:
    """Print how far the search is."""
    states = [record.state for record in read_trials(folder)]
    ended = len(states) - states.count("running")
    print(f"kill {kills}: {victim}, {len(states)} trials, {ended} ended", flush=True)


def disturb(place: Path, folder: Path, options: argparse.Namespace) -> bool:
    """Kill until it was done often enough; return whether no finished trial was trained again."""
    moments, kills, kept = random.Random(options.seed), 0, True
    hit: set[tuple[int, tuple[int, ...]]] = set()
    process = start(place, folder, options.trials)
    while kills < options.kills and process.poll() != 0:
        if process.poll() is not None:
            process = start(place, folder, options.trials)
        victim, delay = moments.choice(VICTIMS), moments.uniform(0.0, LATEST_S)
        before = finished(folder)
        if moments.random() >= STARTING:
            wait_for_change(process, folder)
        time.sleep(delay)
        running = tuple(r.number for r in read_trials(folder) if r.state == "running")
        if victim == "trial" and (process.pid, running) in hit:
            victim = "driver"  # a process that is lost twice ends a trial, as it should
        hit.add((process.pid, running))
        if process.poll() is None and kill(victim, process, folder):
            kills += 1
            report(kills, victim, folder)
        kept &= before.items() <= finished(folder).items()
    while process.wait():  # until it ends well
        process = start(place, folder, options.trials)
    return kept


def main() -> None:
    """Search undisturbed and disturbed, and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        search(options.child, options.folder, options.trials)
        return
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        manifest, features = write_inputs(place / "inputs", SPECS, SAMPLES)
        write_json(place / "inputs.json", {"manifest": manifest, "features": features})
        began = time.monotonic()
        start(place, place / "undisturbed", options.trials).wait()
        print(f"undisturbed: {time.monotonic() - began:.0f} s", flush=True)
        kept = disturb(place, place / "disturbed", options)
        expected, found = table(place / "undisturbed"), table(place / "disturbed")
        print(f"finished trials stay as they were: {kept}")
        print(f"tables are equal: {found == expected} ({len(found)} trials)")
        for one, other in zip(expected, found, strict=False):
            if one != other:
                print(f"  undisturbed {one}\n  disturbed   {other}")
        if not expected or found != expected or not kept:
            print((place / "log.txt").read_text()[-4000:])
            sys.exit(1)


if __name__ == "__main__":
    main()
