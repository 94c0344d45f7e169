"""A file that is not what it should be: absent, empty, cut, a folder, a pipe or a link."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np


def break_file(path: Path, rng: np.random.Generator) -> str:
    """Put something else in place of a file, and say what."""
    way = str(rng.choice(list(_WAYS)))
    content = path.read_bytes()
    path.unlink()
    _WAYS[way](path, content)
    return f"{path.name}: {way}"


_WAYS: dict[str, Callable[[Path, bytes], object]] = {
    "absent": lambda path, content: None,
    "empty": lambda path, content: path.touch(),
    "folder": lambda path, content: path.mkdir(),
    "pipe": lambda path, content: os.mkfifo(path),
    "link to nothing": lambda path, content: path.symlink_to(path.with_name("nowhere")),
    "link out": lambda path, content: path.symlink_to("/etc/passwd"),
    "half": lambda path, content: path.write_bytes(content[: len(content) // 2]),
    "doubled": lambda path, content: path.write_bytes(content * 2),
    "text": lambda path, content: path.write_text("not what it was\n", "ascii"),
}
