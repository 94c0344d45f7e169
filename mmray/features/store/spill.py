"""Features in a file instead of in memory: what is larger than memory is read where it lies."""

import mmap
import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mmray.errors import TrainingError

Array = npt.NDArray[Any]


def zeros_on_disk(path: Path, shape: tuple[int, ...], dtype: str) -> Array:
    """Return an array of zeros that lies in a new file; too full a disk is a TrainingError."""
    try:
        values = np.lib.format.open_memmap(path, mode="w+", dtype=np.dtype(dtype), shape=shape)
        # Reserved here: a disk that is full when a page is written kills the process.
        with path.open("r+b") as stream:
            os.posix_fallocate(stream.fileno(), 0, path.stat().st_size)
    except OSError as error:
        raise TrainingError(
            f"features cannot be streamed from this disk: {error}",
            where=str(path.parent),
            hint="make room there, or set 'train.stream: never' to keep them in memory",
        ) from error
    else:
        return values


def open_on_disk(path: Path) -> Array:
    """Return the array of a file, to be read in any order."""
    values = np.load(path, mmap_mode="r")
    _map_of(values).madvise(mmap.MADV_RANDOM)
    return values


def release(values: Array) -> None:
    """Release the pages of a mapped file; arrays in memory are unchanged."""
    if isinstance(values, np.memmap):
        if values.flags.writeable:
            values.flush()
        _map_of(values).madvise(mmap.MADV_DONTNEED)


def _map_of(values: Any) -> mmap.mmap:  # noqa: ANN401 (numpy's own attribute)
    return values._mmap
