"""A search on a cluster while a node is added and is lost again.

    python -m benchmarks.search_nodes [--trials 12] [--epochs 20]

Nodes of a Ray cluster on this machine have a core each, and a trial takes one. The search starts
on one node; after two trials a second node is added, after four more it ends without a word.
Printed is how many trials trained at a time in each part, and how all of them ended.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from functools import partial
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import psutil

from benchmarks.chaos import Nodes, end
from benchmarks.search_kills import LOCK
from benchmarks.search_overhead import SPECS, make_job, plan_trial
from benchmarks.training_inputs import write_inputs
from mmray.core.file.atomic import read_json, write_json
from mmray.search.study import read_trials

SAMPLES = 2048
ALONE, TOGETHER = 2, 4
"""Trials that end before the second node is added, and until it is lost."""
LOOK_S = 0.2
LOST_S = 10.0
"""Until the processes of a lost node have ended, which would be counted."""


def search(place: Path, address: str, options: argparse.Namespace) -> None:
    """Search on the cluster: in a process of its own, for nodes come and go in the other."""
    from mmray.config.document import ClusterRuntime
    from mmray.config.training.search import SearchConfig
    from mmray.distributed.node.session import connect
    from mmray.distributed.search.searching import search_trials

    inputs = read_json(place / "inputs.json")
    folder = place / "search"
    job = make_job(folder, (inputs["manifest"], inputs["features"]), epochs=options.epochs)
    search_trials(
        partial(plan_trial, job=job),
        search=SearchConfig(
            objective=[{"metric": "val/loss"}],
            trials=options.trials,
            sampler="random",
            stop={"kind": "none"},
            space={"train.lr": {"loguniform": [1e-5, 1e-2]}},
        ),
        document={"train.lr": 1e-4},
        train=job.config.train,
        size=connect(ClusterRuntime(address=address)),
        folder=folder,
        on_epoch=lambda *_: None,
        on_change=lambda *_: None,
    )


def training_now(folder: Path) -> int:
    """Return how many processes train a trial of the search."""
    locks = [
        Path(record.folder) / LOCK for record in read_trials(folder) if record.state == "running"
    ]
    pids = {int(lock.read_text() or 0) for lock in locks if lock.is_file()}
    return sum(pid > 0 and psutil.pid_exists(pid) for pid in pids)


def follow(searching: subprocess.Popen[bytes], nodes: Nodes, folder: Path) -> dict[str, int]:
    """Add and lose the node when it is time; return how many trials trained at a time."""
    parts = {"one node": 0, "two nodes": 0, "one node again": 0}
    part, began = "one node", time.monotonic()
    while searching.poll() is None:
        time.sleep(LOOK_S)
        ended = sum(record.state != "running" for record in read_trials(folder))
        now = training_now(folder)
        parts[part] = max(parts[part], now)
        if part == "one node" and ended >= ALONE:
            nodes.add()
            part = "two nodes"
        elif part == "two nodes" and ended >= ALONE + TOGETHER and now == 2:
            nodes.lose()
            time.sleep(LOST_S)
            part = "one node again"
        else:
            continue
        print(f"{time.monotonic() - began:5.0f} s, {ended} trials ended: {part}", flush=True)
    return parts


def main() -> None:
    """Search, with nodes that come and go."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=12)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--address", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        search(options.child, options.address, options)
        return
    with tempfile.TemporaryDirectory(prefix="mmray-sn-") as name:
        place = Path(name)
        manifest, features = write_inputs(place / "inputs", SPECS, SAMPLES)
        write_json(place / "inputs.json", {"manifest": manifest, "features": features})
        nodes = Nodes(place / "ray")
        nodes.lose()
        command = [sys.executable, "-m", "benchmarks.search_nodes", "--child", str(place)]
        command += ["--address", nodes.address, "--trials", str(options.trials)]
        searching = subprocess.Popen([*command, "--epochs", str(options.epochs)])
        try:
            parts = follow(searching, nodes, place / "search")
        finally:
            end(searching)
            nodes.close()
        states = Counter(record.state for record in read_trials(place / "search"))
        print(f"trials at a time: {parts}; ended: {dict(states)}")
        if parts["two nodes"] != 2 or states != {"complete": options.trials}:
            sys.exit(1)


if __name__ == "__main__":
    main()
