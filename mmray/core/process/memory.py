"""Memory of this process that nothing needs any more."""

import ctypes

import pyarrow as pa


def release_memory() -> None:
    """Give back to the system what Arrow and the C library keep for later.

    Worth its milliseconds where much was read and little of it stays, and other processes need it.
    """
    pa.default_memory_pool().release_unused()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc has it
    if trim is not None:
        trim(0)
