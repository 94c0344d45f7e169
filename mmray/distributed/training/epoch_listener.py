"""Epochs on their way from the workers' files to who wants to hear of them."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mmray.core.file.atomic import read_json, write_json
from mmray.run.epoch_file import epoch_lines

HEARD = "heard.json"
"""Beside a run's epochs: the numbers of those that were passed on."""

OnEpoch = Callable[[str, dict[str, Any]], None]


class EpochListener:
    """Passes each epoch of some runs on once, also over the death of the process that listens."""

    def __init__(self, files: dict[str, Path], on_epoch: OnEpoch) -> None:
        self._files, self._on_epoch = files, on_epoch
        # A run that resumes has epochs that were heard, and perhaps some that were not.
        self._heard = {name: _heard_before(path) for name, path in files.items()}
        self._seen: dict[str, tuple[int, int]] = {}

    def hear(self) -> None:
        """Pass on what is new."""
        for name, path in self._files.items():
            state = _state_of(path)
            if state is None or state == self._seen.get(name):
                continue
            heard = self._heard[name]
            for line in epoch_lines(path):
                if line["epoch"] not in heard:
                    self._on_epoch(name, line)
                    heard.append(line["epoch"])
                    write_json(path.with_name(HEARD), heard)
            self._seen[name] = state


def _state_of(path: Path) -> tuple[int, int] | None:
    """Return what changes when a file does; None if it is not there."""
    try:
        # Open, because a network file system may otherwise answer from memory.
        with path.open("rb") as stream:
            status = os.fstat(stream.fileno())
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_size


def _heard_before(path: Path) -> list[int]:
    """Return the epochs that were passed on; with a damaged file, none."""
    try:
        heard = read_json(path.with_name(HEARD))
    except (OSError, ValueError, RecursionError):
        return []
    return heard if isinstance(heard, list) else []
