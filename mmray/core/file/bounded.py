"""Files that others may have written: read only if regular and not too large."""

import json
import os
import stat
from pathlib import Path
from typing import Any

from mmray.errors import MMRayError


def read_bounded(path: Path, *, max_bytes: int, error: type[MMRayError]) -> bytes:
    """Return the bytes of a regular file of at most ``max_bytes``.

    A path that is absent, a folder, a pipe or a device, unreadable, or too large is an ``error``.
    None of these blocks, and no more than ``max_bytes`` is read.
    """
    try:
        # Without O_NONBLOCK, opening a pipe waits for its writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as reason:  # ValueError: a null byte in the path
        raise _unreadable(path, reason, error) from None
    try:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise error(
                f"{path.name!r} is not a regular file but {_kind(mode)}",
                where=str(path),
                hint="give the path of a file",
            )
        content = _read(descriptor, max_bytes + 1)
    except OSError as reason:
        raise _unreadable(path, reason, error) from None
    finally:
        os.close(descriptor)
    if len(content) > max_bytes:
        raise error(
            f"{path.name!r} is larger than the limit of {max_bytes:,} bytes",
            where=str(path),
            hint="is this the right file?",
        )
    return content


def parse_json(data: bytes | str, *, what: str, where: str, error: type[MMRayError]) -> Any:  # noqa: ANN401
    """Return one JSON document.

    Invalid JSON, deep nesting, NaN or infinity, a number of thousands of digits, or a duplicate key
    is an ``error`` that names ``what`` it should have been.
    """
    try:
        text = data if isinstance(data, str) else data.decode("utf-8")
        return json.loads(text, parse_constant=_refuse, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as reason:
        problem = "it is nested too deeply" if isinstance(reason, RecursionError) else str(reason)
        raise error(
            f"{what} is not valid JSON: {problem[:200]}",
            where=where,
            hint="the file is cut, changed, or of another kind; make it again",
        ) from None


def _read(descriptor: int, size: int) -> bytes:
    with os.fdopen(descriptor, "rb", closefd=False) as stream:
        return stream.read(size)


def _unreadable(path: Path, reason: Exception, error: type[MMRayError]) -> MMRayError:
    words = reason.strerror if isinstance(reason, OSError) and reason.strerror else str(reason)
    return error(
        f"{path.name!r} cannot be read: {words}",
        where=str(path),
        hint="check the path and its mode",
    )


def _kind(mode: int) -> str:
    kinds = {
        stat.S_IFDIR: "a folder",
        stat.S_IFIFO: "a pipe",
        stat.S_IFSOCK: "a socket",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
    }
    return kinds.get(stat.S_IFMT(mode), "something else")


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is not a JSON number")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        twice = next(key for i, (key, _) in enumerate(pairs) if key in dict(pairs[:i]))
        raise ValueError(f"the key {twice[:50]!r} appears twice")
    return document
