"""The end of a process."""

import atexit
import gc


def end_without_search() -> None:
    """Let this process end without a last garbage collection.

    With Ray and torch loaded, it takes half a second.
    """
    atexit.register(gc.freeze)
