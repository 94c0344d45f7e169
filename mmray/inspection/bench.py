"""Bench: the benchmarks of a checkout, in one table."""

import json
import logging
import subprocess
import sys
import time
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
    """Run the scripts of a group one after the other and return their results."""
    if group not in GROUPS:
        raise ConfigError(f"there is no group {group!r}", hint=f"groups: {', '.join(GROUPS)}")
    if not (Path(FOLDER) / "report.py").is_file():
        raise ConfigError(
            f"there is no folder {FOLDER!r} here",
            where=str(Path.cwd()),
            hint="run this in a checkout of the project, which has the scripts",
        )
    found: list[dict[str, Any]] = []
    for number, name in enumerate(GROUPS[group], start=1):
        logger.info("%s: measuring (%d of %d)", name, number, len(GROUPS[group]))
        started = time.monotonic()
        found.append(_run(name))
        seconds = time.monotonic() - started
        logger.info("%s: %.2fx, after %.0f s", name, found[-1]["ratio"], seconds)
    return found


def describe_benchmarks(found: list[dict[str, Any]]) -> list[str]:
    """Return the table, one line per claim, and the hardware."""
    lines = [("claim", "ours", "other", "ratio", "unit", "other way")]
    lines += [
        (
            row["name"],
            _short(row["ours"]),
            _short(row["other"]),
            f"{row['ratio']:.2f}x",
            row["unit"],
            row["other_name"],
        )
        for row in found
    ]
    widths = [max(len(line[column]) for line in lines) for column in range(5)]
    described: list[str] = []
    for name, *numbers, unit, other in lines:
        aligned = [text.rjust(width) for text, width in zip(numbers, widths[1:4], strict=True)]
        cells = [name.ljust(widths[0]), *aligned, unit.ljust(widths[4]), other]
        described.append("  ".join(cells))
    hardware = found[0]["hardware"]
    described.append(
        f"ratio: above 1, ours is better; {hardware['cores']} cores of {hardware['cpu']}, "
        f"{hardware['memory_gib']} GiB, Python {hardware['python']}"
    )
    return described


def _short(value: float) -> str:
    """Write a number with its significant digits."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _run(name: str) -> dict[str, Any]:
    command = [sys.executable, "-m", f"{FOLDER}.{name}", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise _failed(name, done.stderr.strip()[-500:])
    try:
        return json.loads(done.stdout)
    except ValueError as error:
        raise _failed(name, f"its output is not one JSON document ({error})") from None


def _failed(name: str, why: str) -> MMRayError:
    return MMRayError(
        f"the benchmark {name!r} failed: {why}",
        hint=f"run it alone: python -m {FOLDER}.{name}",
    )
