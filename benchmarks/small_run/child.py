"""One small run of whatever checkout is on the path, with the times of its parts in a file.

    PYTHONPATH=CHECKOUT python benchmarks/small_run/child.py PARTS CONFIG KEY=VALUE...

It imports nothing of the benchmarks: those on the path may be of another checkout.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

STARTED = time.time()
parts: list[tuple[str, float, float]] = []
"""Name, begin and end of each part, in seconds since the start."""


def timed(function: Callable[..., Any], part: str) -> Callable[..., Any]:
    """Return a function that notes its calls."""

    def call(*arguments: Any, **options: Any) -> Any:
        begun = time.time() - STARTED
        try:
            return function(*arguments, **options)
        finally:
            parts.append((part, begun, time.time() - STARTED))

    return call


def main() -> None:
    """Run the stages of the workflow."""
    output, config, *overrides = sys.argv[1:]
    sys.path.pop(0)  # this file's folder
    import mmray.tracking.open
    from mmray.cli.console import set_up_logging
    from mmray.cli.workflow import run_stages
    from mmray.config.reading.load import load_config
    from mmray.core.process.exit import end_without_search
    from mmray.stages import extract, prepare, train
    from mmray.stages.extraction.compute import OnRay

    set_up_logging(quiet=True, verbose=False)
    end_without_search()
    loaded = load_config(Path(config), overrides)
    train.train_variants = timed(train.train_variants, "trainings")
    mmray.tracking.open._open = timed(mmray.tracking.open._open, "mlflow")
    OnRay.beside = timed(OnRay.beside, "ray")
    from mmray.stages import evaluate  # which takes the function from train

    stages = {"prepare": prepare, "extract": extract, "train": train, "evaluate": evaluate}
    begun = time.time() - STARTED
    reports = run_stages(loaded, [timed(each.run, name) for name, each in stages.items()])
    found = {
        "parts": parts,
        "begun": begun,
        "ended": time.time() - STARTED,
        "metrics": reports[-1].metrics,
    }
    Path(output).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
