"""Files that are complete or absent."""

import errno
import json
import logging
import os
import uuid
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from mmray.core.fingerprint import find_unsealed, fingerprint, seal_files
from mmray.errors import DiskFullError, MMRayError

logger = logging.getLogger(__name__)
SUCCESS = "_SUCCESS.json"
SEALS, DIGEST = "seals", "digest"
"""Keys of a marker: the SHA-256 of files by name, and a digest of the rest of it."""
DAMAGED = "is empty, cut or changed"
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def replacing(path: Path) -> Generator[Path]:
    """Yield a temporary path beside ``path`` and move it there when the block ends well.

    A disk without room is a DiskFullError.
    """
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            yield temporary
            os.replace(temporary, path)  # noqa: PTH105 (must be atomic, also over an existing file)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def writing(path: Path) -> Generator[None]:
    """Raise one of mmray's errors when ``path`` cannot be written or the disk is full."""
    try:
        yield
    except (IsADirectoryError, NotADirectoryError, PermissionError) as error:
        raise MMRayError(
            f"{path.name} cannot be written: {error.strerror}",
            where=str(path),
            hint="something else has this name, or the folder is not writable",
        ) from error
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise DiskFullError(
            f"no space left to write {path.name}",
            where=str(path.parent),
            hint="earlier complete results are kept; make room and run again",
        ) from error


def sync(path: Path) -> None:
    """Sync a file, or the names in a folder, to the disk: they survive a power loss."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_json(path: Path, document: Any) -> None:  # noqa: ANN401 (anything that JSON can say)
    """Write one JSON document atomically."""
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    with replacing(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def read_json(path: Path) -> Any:  # noqa: ANN401
    """Read one JSON document; other than regular files are refused at once."""
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    return json.loads(path.read_text(encoding="utf-8"))


def sealed(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a JSON document with a digest of itself."""
    body: dict[str, Any] = json.loads(json.dumps(dict(document), allow_nan=False))
    return body | {DIGEST: fingerprint(body)}


def unsealed(document: Any) -> dict[str, Any]:  # noqa: ANN401 (what a file may hold)
    """Return what ``sealed`` was given; a changed document is a ValueError."""
    if isinstance(document, dict):
        body = {key: value for key, value in document.items() if key != DIGEST}
        if document.get(DIGEST) == fingerprint(body):
            return body
    raise ValueError(DAMAGED)


def mark_success(folder: Path, document: Mapping[str, Any], *, files: Iterable[str] = ()) -> None:
    """Write the completion marker of ``folder``. Call it last.

    It holds digests of itself and of ``files``, so that a damaged folder does not count as
    complete.
    """
    seals = seal_files(folder, files)
    write_json(folder / SUCCESS, sealed({**document, SEALS: seals} if seals else document))


def read_success(folder: Path) -> dict[str, Any] | None:
    """Return the completion marker of ``folder``, or None when it is not complete.

    A marker that is empty, cut or changed does not count, and is named in a warning.
    """
    marker = folder / SUCCESS
    if not marker.is_file():
        return None
    try:
        return unsealed(read_json(marker))
    except (OSError, ValueError, RecursionError) as error:
        warn_of_damage(marker, "cannot be read" if isinstance(error, OSError) else DAMAGED)
        return None


def read_complete(folder: Path) -> dict[str, Any] | None:
    """Return what ``read_success`` does, but None if a file that the marker seals is damaged."""
    success = read_success(folder)
    for name, problem in find_unsealed(folder, (success or {}).get(SEALS, {})).items():
        warn_of_damage(folder / name, problem)
        success = None
    return success


@cache
def warn_of_damage(path: Path, problem: str) -> None:
    """Warn once that a file is damaged and that its folder is made again."""
    logger.warning("%s %s: it counts as incomplete, and is made again", path, problem)
