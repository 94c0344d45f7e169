"""The folders of the feature store, current and stale."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmray.config.document import Config
from mmray.core.file.atomic import read_success
from mmray.core.report import Report
from mmray.core.spec import spec_from_dict
from mmray.core.text.size import human_bytes
from mmray.inspection.features.target import Marker, find_targets, folder_status
from mmray.stages.extraction.target import FeatureTarget


@dataclass(frozen=True, slots=True)
class FolderRow:
    """One folder of the feature store."""

    modality: str
    folder: str
    status: str
    """``current``; ``outdated``: extract would update it; ``stale``: made with other settings;
    ``unfinished``: an extraction was interrupted; ``fitted``: fitted state."""
    kind: str
    spec: str
    extracted: int
    rejected: int
    bytes: int
    completed: str


def list_folders(config: Config) -> Report:
    """List every folder of the feature store, also those of other documents."""
    started = time.monotonic()
    targets = find_targets(config)
    root = Path(config.workspace) / "features"
    names = [*targets, *sorted({path.name for path in root.glob("*")} - set(targets))]
    rows = [
        _row(name, folder, config, targets.get(name))
        for name in names
        for folder in sorted((root / name).glob("*"))
        if folder.is_dir()
    ]
    return Report(
        stage="features ls",
        fingerprint="",
        folder=str(root),
        seconds=round(time.monotonic() - started, 2),
        counts={"folders": [_to_dict(row) for row in rows]},
        found=tuple(_table(rows))
        if rows
        else ("nothing is stored yet: run 'mmray extract CONFIG'",),
    )


def _row(name: str, folder: Path, config: Config, target: FeatureTarget | None) -> FolderRow:
    marker: Marker = read_success(folder) or {}
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    counts = marker.get("counts", {"extracted": marker.get("samples", 0), "rejected": {}})
    spec = marker.get("spec")
    return FolderRow(
        modality=name,
        folder=folder.name,
        status=folder_status(folder, marker, config, target),
        kind=str(marker.get("settings", {}).get("extract", {}).get("kind", "")) if spec else "",
        spec=spec_from_dict(spec).describe() if spec else "",
        extracted=counts["extracted"],
        rejected=sum(counts["rejected"].values()),
        bytes=size,
        completed=marker.get("completed", ""),
    )


def _to_dict(row: FolderRow) -> dict[str, Any]:
    return {name: getattr(row, name) for name in FolderRow.__slots__}


def _table(rows: list[FolderRow]) -> list[str]:
    """Return the table for people; the report also has the times, for which a line has no room."""
    header = ["modality", "folder", "status", "kind", "spec", "extracted", "rejected", "size"]
    cells = [header]
    for row in rows:
        is_features = not row.status.startswith("fitted")
        counts = [str(row.extracted), str(row.rejected)] if is_features else ["", ""]
        size = human_bytes(row.bytes)
        cells.append([row.modality, row.folder, row.status, row.kind, row.spec, *counts, size])
    widths = [max(len(line[index]) for line in cells) for index in range(len(header))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    ]
