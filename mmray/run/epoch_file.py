"""The epochs of a run as lines of JSON, written while it trains; loads no torch."""

import contextlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmray.core.file.atomic import writing

if TYPE_CHECKING:
    from mmray.training.loop.plan import EpochRecord

EPOCHS = "epochs.jsonl"
KEYS = {"epoch", "seconds", "metrics"}


def epoch_line(name: str, record: "EpochRecord") -> dict[str, Any]:
    """Return one epoch as a line of ``epochs.jsonl``; epochs count from one there."""
    return {
        "run": name,
        "epoch": record.epoch + 1,
        "seconds": record.seconds,
        "weights_hashes": record.weights_hashes,
        "metrics": record.metrics,
    }


def append_epoch(path: Path, name: str, record: "EpochRecord") -> dict[str, Any]:
    """Append an epoch to the file of a run that trains, and return its line."""
    line = epoch_line(name, record)
    with writing(path), path.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(line) + "\n")
    return line


def epoch_lines(path: Path) -> list[dict[str, Any]]:
    """Return the epochs of a running or finished training, one each, in order.

    A line that a killed worker left half-written, or that was damaged, is skipped: the finished run
    has it complete.
    """
    if not path.is_file():
        return []
    found: dict[int, dict[str, Any]] = {}
    for line in path.read_bytes().splitlines():
        with contextlib.suppress(ValueError, RecursionError):
            record = json.loads(line)
            if isinstance(record, dict) and record.keys() >= KEYS:
                found[record["epoch"]] = record
    return [found[epoch] for epoch in sorted(found)]
