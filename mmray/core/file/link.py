"""A second name for a file, where that takes no room."""

import contextlib
import os
import shutil
from pathlib import Path

LARGE_BYTES = 2**20


def copy_or_link(source: str | Path, target: str | Path) -> None:
    """Copy a small file; give a large one another name, which takes no room, where that can be."""
    if Path(source).stat().st_size >= LARGE_BYTES:
        with contextlib.suppress(OSError):
            os.link(source, target)
            return
    shutil.copy2(source, target)
