"""Unused memory of this process."""

import ctypes

import pyarrow as pa


def release_memory() -> None:
    """Return unused memory of Arrow and the C library to the system.

    It is worth some milliseconds after much was read and little is kept, when other processes need
    memory.
    """
    pa.default_memory_pool().release_unused()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc has it
    if trim is not None:
        trim(0)
