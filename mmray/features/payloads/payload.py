"""From a reference in the manifest to payload bytes, and to a name for the payload's version."""

import os
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice

from mmray.core.fingerprint import digest_bytes
from mmray.core.rejection import Rejection
from mmray.media.guard.guard import Entry
from mmray.media.location import is_remote, is_uri, location_of, member_of
from mmray.media.source import PayloadReader

READ_AHEAD = 8
"""Remote payloads that are read at once, for waiting takes longer than reading."""


def read_payload(
    reader: PayloadReader, reference: str | bytes, *, is_inline: bool
) -> bytes | Rejection:
    """Return the bytes of a reference, or a rejection."""
    if isinstance(reference, bytes):
        return reference
    if is_inline:
        return reference.encode(errors="replace")  # half of a character is none
    try:
        return reader.read(reference)
    except Rejection as rejection:
        return rejection
    except UnicodeError:
        return Rejection("not_found", "the reference is not a valid file name")


def entries_for(
    reader: PayloadReader, references: Sequence[str | bytes], *, is_inline: bool
) -> Generator[Entry]:
    """Yield, in order, what is handed to a process that can read payloads itself.

    A reference to a file of this machine stays one, so its bytes cross no process. Remote payloads
    are read here, many at a time.
    """
    if is_inline or any(map(reader.is_remote, references)):
        yield from read_payloads(reader, references, is_inline=is_inline)
    else:
        yield from references


def read_payloads(
    reader: PayloadReader, references: Sequence[str | bytes], *, is_inline: bool
) -> Generator[bytes | Rejection]:
    """Yield what ``read_payload`` returns, in order; remote payloads are read ahead of their turn.

    At most ``READ_AHEAD`` of them are in memory at a time.
    """
    read = partial(read_payload, reader, is_inline=is_inline)
    if is_inline or not any(map(reader.is_remote, references)):
        yield from map(read, references)
        return
    with ThreadPoolExecutor(READ_AHEAD) as pool:
        rest = iter(references)
        ahead = [pool.submit(read, reference) for reference in islice(rest, READ_AHEAD)]
        while ahead:
            yield ahead.pop(0).result()
            ahead += [pool.submit(read, reference) for reference in islice(rest, 1)]


def payload_key(
    reference: str | bytes,
    folder: str,
    *,
    is_inline: bool,
    versions: Mapping[str, str] | None = None,
) -> str:
    """Name a payload's version: its content when inline, else its place and version there.

    ``folder`` is without links. The version of a file is its size and the times of its last change
    (mtime) and of its entry (ctime), so that a file that replaces another is distinguished from it,
    whatever time it claims. That of a remote payload is in ``versions`` by its URI; that of a
    member is that of its archive. See ``same_content`` for files that keep their features when
    moved.
    """
    if isinstance(reference, bytes):
        return digest_bytes(reference)
    if is_inline:
        return digest_bytes(reference.encode())
    member = member_of(reference)
    location = location_of(member.archive if member else reference, folder)
    within = f"#{member.name}@{member.offset}+{member.size}" if member else ""
    version = (versions or {}).get(location, "") if is_uri(location) else _status(location)
    return digest_bytes(f"{location}{within}|{version}".encode(errors="surrogatepass"))


def remote_uris(references: Sequence[str | bytes | None], folder: str) -> list[str]:
    """Return the remote files that references name, each once; of a member, its archive."""
    folder_is_remote = is_remote(folder)
    uris: dict[str, None] = {}
    for reference in references:
        if isinstance(reference, str) and (folder_is_remote or is_remote(reference)):
            location = _location(reference, folder)
            if is_uri(location):
                uris[location] = None
    return list(uris)


def _location(reference: str, folder: str) -> str:
    member = member_of(reference)
    return location_of(member.archive if member else reference, folder)


def _status(path: str) -> str:
    try:
        status = os.stat(path)  # noqa: PTH116 (asked of every payload: a Path takes as long again)
    except (OSError, ValueError):  # ValueError: a null character in it
        return "absent"
    return f"{status.st_size}|{status.st_mtime_ns}|{status.st_ctime_ns}"
