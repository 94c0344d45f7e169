"""The files of a feature folder, with size and digest, as its completion marker lists them."""

import hashlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from mmray.core.file.atomic import read_success
from mmray.features.store.index import INDEX
from mmray.features.store.shard import shards_of

REJECTIONS = "rejections.parquet"
TABLES = (INDEX, REJECTIONS)

Files = Mapping[str, Mapping[str, Any]]


def list_files(folder: Path, earlier: Files | None = None) -> dict[str, dict[str, Any]]:
    """Return size, time and SHA-256 of every file that features consist of, by name.

    A file that stands in ``earlier`` with this size and time is not read again.
    """
    paths = sorted([*shards_of(folder), *(folder / name for name in TABLES)])
    known = [(earlier or {}).get(path.name, {}) for path in paths]
    with ThreadPoolExecutor() as threads:  # hashing needs nothing of Python
        entries = threads.map(_entry, paths, known)
        return {path.name: entry for path, entry in zip(paths, entries, strict=True)}


def _entry(path: Path, known: Mapping[str, Any]) -> dict[str, Any]:
    status = path.stat()
    entry = {"bytes": status.st_size, "mtime_ns": status.st_mtime_ns}
    if all(known.get(key) == value for key, value in entry.items()):
        return dict(known)
    return entry | {"sha256": digest(path)}


def digest(path: Path) -> str:
    """Return the SHA-256 of one file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def seals_of(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file as the completion marker lists them; empty without one."""
    listed: Files = (read_success(folder) or {}).get("files", {})
    return {name: entry["sha256"] for name, entry in listed.items()}


def remove_changed(folder: Path, listed: Files) -> list[str]:
    """Remove listed shards that were changed since, and return their names.

    Called before more is written, for afterwards the marker would list that other content.
    """
    removed: list[str] = []
    for name, entry in listed.items():
        path = folder / name
        if name in TABLES or not path.is_file():
            continue
        status = path.stat()
        seen = {"bytes": status.st_size, "mtime_ns": status.st_mtime_ns}
        is_touched = any(entry.get(key) != value for key, value in seen.items())
        if is_touched and digest(path) != entry["sha256"]:
            path.unlink()
            removed.append(name)
    return removed


def is_whole(folder: Path, listed: Files) -> bool:
    """Return whether every listed file exists with its size. Contents are not read."""
    try:
        sizes = {name: (folder / name).stat().st_size for name in listed}
    except OSError:
        return False
    return all(sizes[name] == entry["bytes"] for name, entry in listed.items())
