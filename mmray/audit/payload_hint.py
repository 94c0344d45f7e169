"""Where an absent file may be."""

import os
import posixpath
from itertools import islice
from pathlib import Path

from mmray.media.location import location_of

MAX_ENTRIES = 10_000
"""Most entries of a folder that are searched for a similar name."""


def hint_for(file: str, folder: str) -> str:
    """Return a hint about where an absent file may be."""
    location = location_of(file, folder)
    if "\\" in file and _is_file(location.replace("\\", "/")):
        return "paths use '/', on Windows too: replace the backslashes"
    below = [name for name in _folders(folder) if _is_file(posixpath.join(folder, name, file))]
    if below:
        return f"they are below {below[0]!r}: begin each path with '{below[0]}/'"
    first, _, rest = file.partition("/")
    if rest and _is_file(posixpath.join(folder, rest)):
        return f"they are one level higher: remove '{first}/' from the start of each path"
    similar = _similar(location)
    if similar:
        return f"did you mean {similar!r}? extension and case must match"
    return f"paths start in {folder!r}, the manifest's folder"


def _similar(location: str) -> str | None:
    """Return a sibling that differs only in case or extension."""
    parent, base = posixpath.split(location)
    names = _entries(parent)
    stem = posixpath.splitext(base)[0].lower()
    same = [name for name in names if name.lower() == base.lower()]
    return next(iter(same), None) or next(
        (name for name in names if posixpath.splitext(name)[0].lower() == stem), None
    )


def _folders(folder: str) -> list[str]:
    return [name for name in _entries(folder) if (Path(folder) / name).is_dir()]


def _entries(folder: str) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in islice(entries, MAX_ENTRIES))
    except (OSError, ValueError):
        return []


def _is_file(path: str) -> bool:
    try:
        return Path(path).is_file()
    except (OSError, ValueError):
        return False
