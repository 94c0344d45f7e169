"""Starting a local Ray node and connecting to it: mmray's lean node against Ray's own.

    python -m benchmarks.connect [--json] [--rounds 5]

Both by ``mmray.distributed.node.session.connect`` with the same settings and environment, each in a
process of its own that has loaded Ray before; Ray's own with its web server, the autoscaler's
monitor and the log monitor. ``cpu_s`` is what all processes together took until five seconds later.
"""

import argparse
import contextlib
import json
import statistics
import subprocess
import sys
import time

import psutil

from benchmarks.report import Comparison, tell

WAYS = ("lean", "full")
LATER_S = 5.0


def connect_once(way: str) -> dict[str, float]:
    """Connect in this process; return the seconds that it took, and those of all processors."""
    from mmray.config.document import LocalRuntime
    from mmray.distributed.node import session

    if way == "full":
        session.lean_node = contextlib.nullcontext
    before, started = cpu_s(), time.monotonic()
    session.connect(LocalRuntime())
    seconds = time.monotonic() - started
    time.sleep(LATER_S)
    return {"seconds": seconds, "cpu_s": cpu_s() - before}


def cpu_s() -> float:
    """Return the processor time of this process and of all below it."""
    this = psutil.Process()
    return sum(sum(each.cpu_times()[:2]) for each in (this, *this.children(recursive=True)))


def main() -> None:
    """Measure both ways in turn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.add_argument("--rounds", type=int, default=5, help="how often each way is measured")
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.way:
        print(json.dumps(connect_once(options.way)))
        return
    found: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    for number in range(options.rounds):
        for way in reversed(WAYS) if number % 2 else WAYS:
            command = [sys.executable, "-m", "benchmarks.connect", "--way", way]
            told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            found[way].append(json.loads(told))
    tell(
        Comparison(
            name="connect",
            claim="starting a local Ray node and connecting to it",
            unit="s",
            ours=[each["seconds"] for each in found["lean"]],
            other=[each["seconds"] for each in found["full"]],
            other_name="the node that ray.init starts by itself",
            is_larger_better=False,
            settings={
                "rounds": options.rounds,
                "cpu_s": {w: statistics.median(e["cpu_s"] for e in found[w]) for w in WAYS},
            },
        ),
        as_json=options.json,
    )


if __name__ == "__main__":
    main()
