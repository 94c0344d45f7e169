"""Names for outputs, made of what made them."""

import hashlib
import json
from collections.abc import Iterable
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


def digest_file(path: Path) -> str:
    """Return a digest of the bytes of one file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()[:16]


def digest_folder(folder: Path) -> str:
    """Return a digest of the names and bytes of every file below ``folder``."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return digest_lines(f"{path.relative_to(folder)} {digest_file(path)}" for path in files)
