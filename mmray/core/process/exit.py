"""The end of a process."""

import atexit
import gc


def end_without_search() -> None:
    """Let this process end without a last search for garbage among everything that it holds.

    With Ray, torch and their libraries loaded, that search takes half a second.
    """
    atexit.register(gc.freeze)
