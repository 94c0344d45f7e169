"""Names of outputs, derived from their inputs."""

import errno
import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path


def fingerprint(*parts: object) -> str:
    """Return 16 hex digits that change when any of the JSON-like ``parts`` changes."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def digest_lines(lines: Iterable[str]) -> str:
    """Return a digest of ``lines`` that does not depend on their order."""
    total = hashlib.sha256()
    for line in sorted(lines):
        total.update(line.encode())
        total.update(b"\n")
    return total.hexdigest()[:16]


def digest_bytes(content: bytes) -> str:
    """Return a digest of some bytes."""
    return hashlib.sha256(content).hexdigest()[:16]


def digest_file(path: Path) -> str:
    """Return a digest of the bytes of one file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()[:16]


def seal_files(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """Return the SHA-256 of files in ``folder`` by name, for a marker."""
    return {name: _sha256(folder / name) for name in sorted(names)}


def find_unsealed(folder: Path, seals: Mapping[str, str]) -> dict[str, str]:
    """Return the problem of each file that ``seal_files`` would hash differently now.

    The words follow a name: "is not there", "is not what was written (SHA-256 differs)".
    """
    wrong: dict[str, str] = {}
    for name, seal in seals.items():
        try:
            if _sha256(folder / name) != seal:
                wrong[name] = "is not what was written (SHA-256 differs)"
        except FileNotFoundError:
            wrong[name] = "is not there"
        except OSError as error:
            wrong[name] = f"cannot be read ({error.strerror})"
    return wrong


def _sha256(path: Path) -> str:
    if path.exists() and not (path.is_file() or path.is_dir()):  # a pipe would be waited for
        raise OSError(errno.EINVAL, "not a regular file")
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
