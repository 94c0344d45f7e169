"""Where a file may be that is not where the manifest says."""

import os
import posixpath
from itertools import islice
from pathlib import Path

from mmray.media.location import location_of

MAX_ENTRIES = 10_000
"""Of a folder that is searched for a similar name."""


def hint_for(file: str, folder: str) -> str:
    """Return a sentence about a file that is nearly where it should be; else where it should be."""
    location = location_of(file, folder)
    if "\\" in file and _is_file(location.replace("\\", "/")):
        return "paths are written with '/', also on Windows: replace the backslashes"
    below = [name for name in _folders(folder) if _is_file(posixpath.join(folder, name, file))]
    if below:
        return f"they are below {below[0]!r}: begin each path with '{below[0]}/'"
    first, _, rest = file.partition("/")
    if rest and _is_file(posixpath.join(folder, rest)):
        return f"they are one level higher: leave out '{first}/' at the start of each path"
    similar = _similar(location)
    if similar:
        return f"is it {similar!r}? names must be the same, ending and capitals too"
    return f"they are looked for in {folder!r}, the manifest's folder"


def _similar(location: str) -> str | None:
    """Return a name beside that differs in capitals, or in its ending alone."""
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
