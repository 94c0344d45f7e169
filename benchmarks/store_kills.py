"""SIGKILL processes at random moments while they make the tracking store; every store must serve.

    python -m benchmarks.store_kills [--json] [--kills 30] [--seed N]

Each kill is in a workspace of its own. A process that opens the store, as every command does, is
killed at a random moment of the time that an undisturbed one takes. Then a process opens the store
and logs a metric, and another one finds it. All are forks of one that has loaded MLflow, so that
the time is that of the making.
"""

import argparse
import json
import os
import random
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from mlflow import MlflowClient

from benchmarks.report import hardware
from mmray.tracking.store import MLflowTracker


def open_store(workspace: Path) -> None:
    """Open the workspace's store and its run, as a command does."""
    uri = f"sqlite:///{workspace / 'mlflow.db'}"
    tracker = MLflowTracker(uri=uri, experiment="e", name="pets", workspace=workspace)
    tracker.identify("k")
    tracker.parent().log_metrics({"loss": 0.5}, step=1)
    tracker.close()


def check_store(workspace: Path) -> None:
    """Find the one run of the store and its metric."""
    client = MlflowClient(tracking_uri=f"sqlite:///{workspace / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("e")
    assert experiment is not None
    runs = [r for r in client.search_runs([experiment.experiment_id]) if r.data.metrics]
    assert [run.data.metrics for run in runs] == [{"loss": 0.5}]
    assert [path for path in workspace.iterdir() if ".tmp" in path.name] == []


def fork(work: Callable[[Path], None], workspace: Path) -> int:
    """Do some work in a process of its own; return its id."""
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        work(workspace)
        status = 0
    finally:
        os._exit(status)


def ends_well(work: Callable[[Path], None], workspace: Path) -> bool:
    """Do some work in a process of its own; say whether it ended well."""
    return os.waitpid(fork(work, workspace), 0)[1] == 0


def kill(workspace: Path, after_s: float) -> str:
    """Kill a process that opens the store so long after its start; say how far it was."""
    child = fork(open_store, workspace)
    time.sleep(after_s)
    os.kill(child, signal.SIGKILL)
    if os.WIFEXITED(os.waitpid(child, 0)[1]):
        return "ended"
    names = {path.name for path in workspace.iterdir()}
    if "mlflow.db" in names:
        return "after"
    return "while" if any(".tmp" in name for name in names) else "before"


def main() -> None:
    """Kill, look, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=2026)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    when = {"before": 0, "while": 0, "after": 0, "ended": 0}
    whole = 0
    with tempfile.TemporaryDirectory() as root:
        places = [Path(root) / f"{number:02d}" for number in range(options.kills + 1)]
        for place in places:
            place.mkdir()
        started = time.monotonic()
        assert ends_well(open_store, places.pop())
        usual_s = time.monotonic() - started
        for place in places:
            when[kill(place, chance.uniform(0.0, usual_s))] += 1
            whole += ends_well(open_store, place) and ends_well(check_store, place)
    found = {"kills": options.kills, "killed": when, "whole": whole, "seed": options.seed}
    if options.json:
        print(json.dumps(found | {"hardware": hardware()}, indent=2))
        return
    print(
        f"{options.kills} kills within {usual_s:.1f} s ({when['before']} before the file came, "
        f"{when['while']} while it was made, {when['after']} after, {when['ended']} too late): "
        f"{whole} stores serve, {options.kills - whole} are broken"
    )


if __name__ == "__main__":
    main()
