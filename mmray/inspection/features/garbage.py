"""Clean up the feature store: files that the document and manifest do not use.

Only files with names of the store are removed, one by one; links are never followed.
"""

import re
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from mmray.config.document import Config
from mmray.core.file.atomic import SUCCESS, mark_success, read_success
from mmray.core.report import Report
from mmray.core.text.size import human_bytes
from mmray.features.store import read_current, shards_of
from mmray.features.store.files import TABLES, list_files
from mmray.features.store.shard import PATTERN
from mmray.inspection.features.target import find_targets
from mmray.stages.extraction.fitted import LEARNT_FROM, STATE
from mmray.stages.extraction.target import FeatureTarget, is_up_to_date

OURS = re.compile(r"(fitted-)?[0-9a-f]{16}")
TEMPORARY_S = 3600.0
"""An older temporary file was left by a killed process."""


@dataclass(frozen=True, slots=True)
class Removal:
    """Files of one folder to remove, and why."""

    folder: Path
    why: str
    files: list[Path]
    bytes: int


def collect(config: Config, *, remove: bool) -> Report:
    """List what could be removed, and with ``remove`` remove it."""
    started = time.monotonic()
    targets = find_targets(config)
    removals = list(_find(config, targets))
    total = sum(removal.bytes for removal in removals)
    lines = [
        f"{found.folder}: {len(found.files)} files, {human_bytes(found.bytes)} ({found.why})"
        for found in removals
    ]
    if remove:
        lines += [
            f"left: {path} (not a file of the store)"
            for removal in removals
            for path in _remove(removal)
        ]
        _mark_again(targets)
    done = "removed" if remove else "to remove"
    lines.append(f"{done}: {human_bytes(total)} in {len(removals)} folders")
    return Report(
        stage="features gc",
        fingerprint="",
        folder=str(Path(config.workspace) / "features"),
        seconds=round(time.monotonic() - started, 2),
        counts={
            "bytes": total,
            "removed": remove,
            "folders": [
                asdict(r) | {"folder": str(r.folder), "files": [str(p) for p in r.files]}
                for r in removals
            ],
        },
        found=tuple(lines),
        next_step="" if remove or not removals else "mmray features gc CONFIG --yes",
    )


def _find(config: Config, targets: dict[str, FeatureTarget]) -> Iterator[Removal]:
    root = Path(config.workspace) / "features"
    for name_folder in sorted(root.glob("*")):
        if name_folder.is_symlink() or not name_folder.is_dir():
            continue
        target = targets.get(name_folder.name)
        for folder in sorted(name_folder.glob("*")):
            if folder.is_symlink() or not folder.is_dir() or not OURS.fullmatch(folder.name):
                continue
            yield from _find_in(config, folder, target)


def _find_in(config: Config, folder: Path, target: FeatureTarget | None) -> Iterator[Removal]:
    is_fitted = target is not None and target.fit is not None and target.fit.folder == folder
    is_current = target is not None and target.folder == folder
    if is_current:
        assert target is not None
        yield from _removal(folder, "left by a killed process", _temporaries(folder))
        if is_up_to_date(config, target, read_success(folder)):
            yield from _removal(folder, "only superseded rows", _superseded(folder))
    elif not is_fitted:
        yield from _removal(folder, "stale", _files_of(folder))


def _removal(folder: Path, why: str, files: list[Path]) -> Iterator[Removal]:
    if files:
        yield Removal(folder, why, files, sum(path.lstat().st_size for path in files))


def _files_of(folder: Path) -> list[Path]:
    """Return the files of a stale folder that have names of the store."""
    if not (folder / SUCCESS).is_file() and not shards_of(folder):
        return _temporaries(folder)
    named = [folder / name for name in (SUCCESS, *TABLES, LEARNT_FROM)]
    state = sorted((folder / STATE).rglob("*")) if folder.name.startswith("fitted-") else []
    files = [*named, *sorted(folder.glob(PATTERN)), *state]
    found = [path for path in files if path.is_file() and not path.is_symlink()]
    return found + _temporaries(folder)


def _temporaries(folder: Path) -> list[Path]:
    before = time.time() - TEMPORARY_S
    found = sorted(folder.glob(".*.parquet.*.tmp"))
    return [p for p in found if not p.is_symlink() and p.stat().st_mtime < before]


def _superseded(folder: Path) -> list[Path]:
    """Return the shards without a row in the index."""
    current = read_current(folder)
    used = set(np.unique(np.asarray(current.table["shard"])).tolist())
    return [path for number, path in enumerate(current.shards) if number not in used]


def _remove(removal: Removal) -> list[Path]:
    """Remove the files, the marker first; return folders that could not be removed."""
    for path in sorted(removal.files, key=lambda path: path.name != SUCCESS):
        path.unlink(missing_ok=True)
    if removal.why != "stale":
        return []
    folders = [removal.folder, *(path for path in removal.folder.rglob("*") if path.is_dir())]
    for folder in sorted((f for f in folders if not f.is_symlink()), reverse=True):
        if not any(folder.iterdir()):
            folder.rmdir()
    return [removal.folder] if removal.folder.exists() else []


def _mark_again(targets: dict[str, FeatureTarget]) -> None:
    """Update the file lists in the markers of the current folders."""
    for target in targets.values():
        marker = read_success(target.folder) if target.folder else None
        if target.folder is None or marker is None or "files" not in marker:
            continue
        if not all((target.folder / name).is_file() for name in marker["files"]):
            present = {n: e for n, e in marker["files"].items() if (target.folder / n).is_file()}
            mark_success(target.folder, marker | {"files": list_files(target.folder, present)})
