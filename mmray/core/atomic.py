"""Files that are either whole or not there."""

import errno
import json
import os
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mmray.errors import DiskFullError

SUCCESS = "_SUCCESS.json"
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def replacing(path: Path) -> Generator[Path]:
    """Yield a temporary path beside ``path`` and move it there when the block ends well.

    A disk without room is a DiskFullError.
    """
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        os.replace(temporary, path)  # noqa: PTH105 (must be atomic, also over an existing file)
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise DiskFullError(
            f"no space left to write {path.name}",
            where=str(path.parent),
            hint="what was complete before is kept; make room and run again",
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path: Path, document: Any) -> None:  # noqa: ANN401 (anything that JSON can say)
    """Write one JSON document atomically."""
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    with replacing(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def read_json(path: Path) -> Any:  # noqa: ANN401
    """Read one JSON document."""
    return json.loads(path.read_text(encoding="utf-8"))


def mark_success(folder: Path, document: dict[str, Any]) -> None:
    """Write the marker that says that everything in ``folder`` is complete. Call it last."""
    write_json(folder / SUCCESS, document)


def read_success(folder: Path) -> dict[str, Any] | None:
    """Return what the completion marker of ``folder`` says, or None when it is not complete."""
    marker = folder / SUCCESS
    return read_json(marker) if marker.is_file() else None
