"""The last lines of a workflow: time, plots, and files that need repair."""

import csv
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from mmray.core.report import Report
from mmray.display.terminal import duration

REJECTIONS = "rejections.csv"
SHOWN = 10
"""Number of listed files; the table has all."""


def closing_lines(reports: Sequence[Report], seconds: float) -> list[str]:
    """Return the lines after the last stage of a workflow."""
    folders = {report.stage: Path(report.folder) for report in reports}
    lines = _repairs(folders["extract"] / REJECTIONS) if "extract" in folders else []
    if "evaluate" in folders and any(folders["evaluate"].glob("*.svg")):
        lines.append(f"plots: {folders['evaluate']}")
    return [*lines, f"total time: {duration(seconds)}"]


def _repairs(table: Path) -> list[str]:
    if not table.is_file():
        return []
    with table.open(encoding="utf-8", newline="") as stream:
        rows = csv.DictReader(stream)
        first = list(islice(rows, SHOWN))
        number = len(first) + sum(1 for _ in rows)
    if not first:
        return []
    listed = [f"  {_name(row)}: {row['modality']}, {row['reason']}" for row in first]
    more = [f"  and {number - SHOWN} more"] if number > SHOWN else []
    return [f"payloads to repair: {number}, all in {table}", *listed, *more]


def _name(row: dict[str, str]) -> str:
    """Return the file; of an inline payload, its sample."""
    return f"sample {row['sample_id']}" if row["uri"] == "inline" else row["uri"][:100]
