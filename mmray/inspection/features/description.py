"""One modality's current features in full: settings, counts, statistics, files."""

import time
from pathlib import Path
from typing import Any

from mmray.config.document import Config
from mmray.core.file.atomic import read_success
from mmray.core.report import Report
from mmray.core.spec import spec_from_dict
from mmray.core.text.size import human_bytes
from mmray.errors import ConfigError, ExtractionError
from mmray.features.store import shards_of
from mmray.inspection.features.target import Marker, find_targets, folder_status


def show_modality(config: Config, name: str) -> Report:
    """Describe the current features of one modality."""
    if name not in config.modalities:
        listed = ", ".join(config.modality_order())
        raise ConfigError(f"there is no modality {name!r}", hint=f"the document has: {listed}")
    started = time.monotonic()
    target = find_targets(config)[name]
    marker = read_success(target.folder) if target.folder else None
    if target.folder is None or marker is None:
        raise ExtractionError(
            f"{name!r} has not been extracted with these settings",
            where=f"modalities.{name}",
            hint="run 'mmray extract CONFIG'; 'mmray features ls CONFIG' lists the folders",
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
        f'  folder = "{folder}"',
        '  index = pd.read_parquet(f"{folder}/index.parquet").query("reason == \'\'")',
        '  shards = pd.concat(map(pd.read_parquet, glob(f"{folder}/shard-*.parquet")))',
        '  rows = index.merge(shards, on=["sample_id", "key", "reason", "length"])',
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
