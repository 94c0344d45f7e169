"""Work that must end in time: coroutines on fsspec's own event loop, calls in a thread."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from mmray.core.process.thread import run_in_thread
from mmray.core.rejection import Rejection

T = TypeVar("T")


def run_coroutine(
    coroutine: Coroutine[Any, Any, T], loop: asyncio.AbstractEventLoop, max_s: float
) -> T:
    """Run a coroutine on another thread's loop; it is cancelled, and rejected, when late."""
    future = asyncio.run_coroutine_threadsafe(asyncio.wait_for(coroutine, max_s), loop)
    try:
        return future.result()
    except TimeoutError:
        raise _late(max_s) from None


def run_call(function: Callable[[], T], max_s: float) -> T:
    """Run a call in a thread of its own; one that is late is rejected and left behind."""
    try:
        return run_in_thread(function, name="mmray-read").result(timeout=max_s)
    except TimeoutError:
        raise _late(max_s) from None


def _late(max_s: float) -> Rejection:
    return Rejection("read_timeout", f"reading took longer than {max_s:g} s")
