"""SIGKILL commands at random moments while they make the tracking store; every store must serve.

    python -m benchmarks.store_kills [--json] [--kills 30] [--seed N]

Each kill is in a workspace of its own. A process that opens the store, as every command does, is
killed: at a random moment between its start and the end of an undisturbed one, or, every second
time, so soon after the file that is being made has appeared. Then another process opens the store,
makes a run and logs a metric, which a third reads.
"""

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.report import hardware

OPEN = """
import sys
from pathlib import Path
from mmray.tracking.store import MLflowTracker
workspace = Path(sys.argv[1])
uri = f"sqlite:///{workspace / 'mlflow.db'}"
tracker = MLflowTracker(uri=uri, experiment="e", name="pets", workspace=workspace)
tracker.identify("k")
run = tracker.parent()
if sys.argv[2] == "write":
    run.log_metrics({"loss": 0.5}, step=1)
print(run.run_id, tracker._client.get_run(run.run_id).data.metrics)
tracker.close()
"""
LIMIT_S = 180.0


def start(workspace: Path, what: str) -> subprocess.Popen[str]:
    """Open the workspace's store in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", OPEN, str(workspace), what],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def kill(process: subprocess.Popen[str], workspace: Path, delay_s: float, *, is_late: bool) -> str:
    """Kill a process some time after its start, or after the store's file appears; say when."""
    while is_late and process.poll() is None and not any(workspace.glob("*mlflow.db*")):
        time.sleep(0.002)
    time.sleep(delay_s)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    names = {path.name for path in workspace.iterdir()}
    if "mlflow.db" in names:
        return "after"
    return "while" if any(name.endswith(".tmp") for name in names) else "before"


def is_whole(workspace: Path) -> bool:
    """Say whether the store serves: what one process logs, another finds."""
    said = []
    for what in ("write", "read"):
        process = start(workspace, what)
        out, err = process.communicate(timeout=LIMIT_S)
        if process.returncode:
            print(err, file=sys.stderr)
            return False
        said.append(out)
    left = [path.name for path in workspace.iterdir() if path.name.endswith(".tmp")]
    return said[0] == said[1] and "'loss': 0.5" in said[1] and not left


def measure(folder: Path) -> float:
    """Return how long an undisturbed process takes."""
    started = time.monotonic()
    start(folder, "read").communicate(timeout=LIMIT_S)
    return time.monotonic() - started


def main() -> None:
    """Kill, look, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=2026)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    when = {"before": 0, "while": 0, "after": 0}
    whole = 0
    with tempfile.TemporaryDirectory() as root:
        places = [Path(root) / f"{number:02d}" for number in range(options.kills + 1)]
        for place in places:
            place.mkdir()
        usual_s = measure(places.pop())
        for number, place in enumerate(places):
            is_late = number % 2 == 1
            delay_s = chance.uniform(0.0, 0.6 if is_late else usual_s)
            when[kill(start(place, "read"), place, delay_s, is_late=is_late)] += 1
            whole += is_whole(place)
    found = {"kills": options.kills, "killed": when, "whole": whole, "seed": options.seed}
    if options.json:
        print(json.dumps(found | {"hardware": hardware()}, indent=2))
        return
    print(
        f"{options.kills} kills ({when['before']} before the store was made, {when['while']} while,"
        f" {when['after']} after): {whole} stores serve, {options.kills - whole} are broken"
    )


if __name__ == "__main__":
    main()
