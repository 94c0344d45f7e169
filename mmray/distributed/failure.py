"""From what Ray raises back to what our own code raised."""

import re

import ray.exceptions

from mmray.core.file.disk import to_disk_error
from mmray.errors import MMRayError, TrainingError

MAX_CHARS = 300


def to_own_error(error: BaseException) -> BaseException:
    """Return the error of ours inside ``error``, or a TrainingError that names the failed workers.

    Ray Train hides the original in ``worker_failures``; a task or actor chains it as ``cause``.
    """
    for inner in _chain(error):
        if isinstance(inner, MMRayError):
            return inner
        if isinstance(inner, OSError) and (refused := to_disk_error(inner)):
            return refused
    failures: dict[int, BaseException] = getattr(error, "worker_failures", None) or {}
    for rank in sorted(failures):
        inner = to_own_error(failures[rank])
        if isinstance(inner, MMRayError):
            return inner
    if failures:
        rank, failure = min(failures.items())
        return TrainingError(
            f"worker {rank} failed: {_last_line(failure)}",
            hint="with --debug the worker's full traceback is printed",
        )
    return error


def _chain(error: BaseException) -> list[BaseException]:
    chain: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in chain:
        chain.append(current)
        cause = getattr(current, "cause", None)
        current = cause if isinstance(cause, BaseException) else current.__cause__
    return chain


def _last_line(error: BaseException) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    if not lines:
        return type(error).__name__
    # Ray appends the original to its own traceback; any other error says the most at its start.
    if isinstance(error, ray.exceptions.RayTaskError):
        return re.sub(r"\x1b\[[0-9;]*m", "", lines[-1])[:MAX_CHARS]
    return f"{type(error).__name__}: {lines[0]}"[:MAX_CHARS]
