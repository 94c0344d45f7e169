"""Bench: the measured claims of a checkout, one table."""

import json
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

from mmray.errors import ConfigError, MMRayError

logger = logging.getLogger(__name__)

GROUPS = {
    "features": ("mfcc", "jpeg", "hf_text", "hf_image", "video"),
    "training": ("train_loop",),
    "extraction": ("extraction_limit", "extraction_peers", "growth"),
}
FOLDER = "benchmarks"


def run_benchmarks(group: str) -> list[dict[str, Any]]:
    """Run the scripts of a group one after the other and return what each found."""
    if group not in GROUPS:
        raise ConfigError(f"there is no group {group!r}", hint=f"groups: {', '.join(GROUPS)}")
    if not (Path(FOLDER) / "report.py").is_file():
        raise ConfigError(
            f"there is no folder {FOLDER!r} here",
            where=str(Path.cwd()),
            hint="run this in a checkout of the project, where the scripts are",
        )
    return [_run(name) for name in GROUPS[group]]


def describe_benchmarks(found: list[dict[str, Any]]) -> list[str]:
    """Return the table, a line per claim."""
    lines = [f"{'claim':<16} {'ours':>10} {'other':>10} {'ratio':>7}  unit, against"]
    lines += [
        f"{row['name']:<16} {row['ours']:>10.4g} {row['other']:>10.4g} {row['ratio']:>6.2f}x  "
        f"{row['unit']}, {row['other_name']}"
        for row in found
    ]
    return lines


def _run(name: str) -> dict[str, Any]:
    logger.info("%s: measuring", name)
    command = [sys.executable, "-m", f"{FOLDER}.{name}", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise MMRayError(
            f"the benchmark {name!r} failed: {done.stderr.strip()[-500:]}",
            hint=f"run it alone: python -m {FOLDER}.{name}",
        )
    return json.loads(done.stdout)
