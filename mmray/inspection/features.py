"""What is in the feature store: the folders of a workspace, and one modality in full."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmray.config.document import Config
from mmray.core.file.atomic import read_success
from mmray.core.report import Report
from mmray.core.spec import spec_from_dict
from mmray.errors import ConfigError, ExtractionError
from mmray.features.payloads.remote_version import recall_versions
from mmray.features.store import shards_of
from mmray.inspection.extraction_plan import human_bytes
from mmray.stages.extraction.modality import FeatureTarget, find_target, is_up_to_date
from mmray.stages.prepare import open_manifest

Marker = dict[str, Any]


@dataclass(frozen=True, slots=True)
class FolderRow:
    """One folder of the feature store."""

    modality: str
    folder: str
    status: str
    """``current``; ``outdated``: what extract would bring up to date; ``stale``: made from other
    settings; ``unfinished``: an extraction was interrupted; ``fitted``: what was learnt."""
    kind: str
    spec: str
    extracted: int
    rejected: int
    bytes: int
    completed: str


def find_targets(config: Config) -> dict[str, FeatureTarget]:
    """Return where the features of each modality of the document belong."""
    manifest = open_manifest(config)
    recall_versions(Path(config.workspace))
    return {name: find_target(name, config, manifest) for name in config.modality_order()}


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


def folder_status(
    folder: Path, marker: Marker, config: Config, target: FeatureTarget | None
) -> str:
    """Return the status of one folder; see ``FolderRow``."""
    if folder.name.startswith("fitted-"):
        is_used = target is not None and target.fit is not None and target.fit.folder == folder
        return "fitted" if is_used else "fitted, stale"
    if target is None or target.folder != folder:
        return "stale" if marker else "stale, unfinished"
    if not marker:
        return "unfinished"
    return "current" if is_up_to_date(config, target, marker) else "outdated"


def _to_dict(row: FolderRow) -> dict[str, Any]:
    return {name: getattr(row, name) for name in FolderRow.__slots__}


def _table(rows: list[FolderRow]) -> list[str]:
    header = [
        "modality",
        "folder",
        "status",
        "kind",
        "spec",
        "extracted",
        "rejected",
        "size",
        "completed",
    ]
    cells = [header]
    for row in rows:
        is_features = not row.status.startswith("fitted")
        counts = [str(row.extracted), str(row.rejected)] if is_features else ["", ""]
        size = human_bytes(row.bytes)
        cells.append(
            [row.modality, row.folder, row.status, row.kind, row.spec, *counts, size, row.completed]
        )
    widths = [max(len(line[index]) for line in cells) for index in range(len(header))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    ]


def show_modality(config: Config, name: str) -> Report:
    """Describe the current features of one modality."""
    if name not in config.modalities:
        listed = ", ".join(config.modality_order())
        raise ConfigError(f"there is no modality {name!r}", hint=f"the document has: {listed}")
    started = time.monotonic()
    recall_versions(Path(config.workspace))
    target = find_target(name, config, open_manifest(config))
    marker = read_success(target.folder) if target.folder else None
    if target.folder is None or marker is None:
        raise ExtractionError(
            f"{name!r} has not been extracted with these settings",
            where=f"modalities.{name}",
            hint="run 'mmray extract CONFIG'; 'mmray features ls CONFIG' lists what there is",
        )
    status = folder_status(target.folder, marker, config, target)
    return Report(
        stage="features show",
        fingerprint=target.folder.name,
        folder=str(target.folder),
        seconds=round(time.monotonic() - started, 2),
        counts=marker | {"status": status},
        found=tuple(_describe(name, target.folder, status, marker)),
    )


def _describe(name: str, folder: Path, status: str, marker: Marker) -> list[str]:
    shards = shards_of(folder)
    size = sum(path.stat().st_size for path in shards)
    counts, statistics = marker.get("counts", {}), marker.get("statistics", {})
    return [
        f"{name}: {folder} ({status}, {marker.get('completed', '')})",
        f"spec: {spec_from_dict(marker['spec']).describe()} {marker['spec']['dtype']}",
        "settings:",
        *(f"  {key}: {value}" for key, value in _flat(marker["settings"])),
        "counts:",
        *(f"  {key}: {value}" for key, value in _flat(counts)),
        "statistics:",
        *(f"  {key}: {value:.6g}" for key, value in _flat(statistics)),
        f"files: {len(shards)} shards ({human_bytes(size)}), index.parquet, rejections.parquet",
        "read it with pandas:",
        f'  index = pd.read_parquet("{folder}/index.parquet").query("reason == \'\'")',
        f'  rows = index.merge(pd.concat(map(pd.read_parquet, glob("{folder}/shard-*.parquet"))),'
        ' on=["sample_id", "key", "reason", "length"])',
        "or with DuckDB:",
        f"  SELECT sample_id, feature FROM '{folder}/index.parquet'",
        f"  JOIN '{folder}/shard-*.parquet' USING (sample_id, key, reason) WHERE reason = ''",
    ]


def _flat(document: object, key: str = "") -> list[tuple[str, Any]]:
    if not isinstance(document, dict) or not document:
        return [(key, document)]
    return [
        pair
        for name, value in document.items()
        for pair in _flat(value, f"{key}.{name}".lstrip("."))
    ]
