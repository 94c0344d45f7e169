"""From a reference in the manifest to payload bytes, and to a name for the payload's version."""

import hashlib
from pathlib import Path
from urllib.parse import unquote, urlsplit

from mmray.core.rejection import Rejection
from mmray.media.source import PayloadReader


def read_payload(
    reader: PayloadReader, reference: str | bytes, *, is_inline: bool
) -> bytes | Rejection:
    """Return the bytes that a reference stands for, or why there are none."""
    if isinstance(reference, bytes):
        return reference
    if is_inline:
        return reference.encode()
    try:
        return reader.read(reference)
    except Rejection as rejection:
        return rejection


def payload_key(reference: str | bytes, folder: str, *, is_inline: bool) -> str:
    """Name a payload's version: its content when inline, else path, size and time of change.

    The time is the file's own, so a corpus that is moved as a whole keeps its keys. A remote
    payload is named by its URI alone: asking for its size would cost a request each.
    """
    if isinstance(reference, bytes):
        return hashlib.sha256(reference).hexdigest()[:16]
    is_remote = "://" in reference and not reference.startswith("file://")
    if is_inline or is_remote:
        return hashlib.sha256(reference.encode()).hexdigest()[:16]
    path = unquote(urlsplit(reference).path) if reference.startswith("file://") else reference
    try:
        status = (Path(folder) / path).stat()
        version = f"{reference}|{status.st_size}|{status.st_mtime_ns}"
    except (OSError, ValueError):  # ValueError: a null character in it
        version = f"{reference}|absent"
    return hashlib.sha256(version.encode()).hexdigest()[:16]
