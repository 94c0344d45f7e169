"""From a media ref to the bytes of a payload. What a manifest says is hostile until checked."""

import os
import stat
import tarfile
from collections.abc import Callable, Sequence
from typing import Any

from mmray.core.fingerprint import digest_bytes
from mmray.core.rejection import Rejection
from mmray.media.digested import Digested
from mmray.media.location import (
    Member,
    check_location,
    is_below,
    is_remote,
    is_uri,
    local_locations,
    location_of,
    member_of,
)
from mmray.media.remote.address import HostGuard

MAX_READ_S = 60.0
HELD_FOLDERS = 256
MAX_PREAD = 2**30
"""Systems read no more than about 2 GiB at once."""


class PayloadReader:
    """Reads payloads that lie under ``folder`` (the manifest's) or one of ``roots``.

    A ref is a path relative to ``folder``, an absolute path, a URI, or a member of an archive that
    one of these names. Rejects with ``not_found``, ``empty``, ``too_large``, ``outside_corpus``,
    ``unreadable``; a remote one also with ``unreachable`` or ``read_timeout``.
    """

    def __init__(
        self, roots: Sequence[str], folder: str, max_bytes: int, max_read_s: float = MAX_READ_S
    ) -> None:
        self._roots = tuple(roots)
        self._folder = folder
        self._max_bytes = max_bytes
        self._max_read_s = max_read_s
        self._guard = HostGuard(folder, self._roots)
        self._is_remote = is_remote(folder)
        self._real_folders: dict[str, str] = {}
        # Resolved once: a root may itself be a link, as /tmp is on some machines.
        self._real_roots = tuple(
            os.path.realpath(root) for root in local_locations((folder, *roots))
        )

    def read(self, ref: str) -> bytes:
        """Return the bytes that ``ref`` points to."""
        if not ref.strip() or "\0" in ref:
            raise Rejection("not_found", "the reference is empty or holds a null character")
        member = member_of(ref)
        location = location_of(member.archive if member else ref, self._folder)
        problem = check_location(ref, location, self._folder, self._roots)
        if problem:
            raise Rejection("outside_corpus", problem)
        payload = self._read_member(location, member) if member else self._read(location)
        if not payload:
            raise Rejection("empty", ref if member else location)
        return payload

    def is_remote(self, ref: object) -> bool:
        """Return whether a reference is remote."""
        if not isinstance(ref, str):
            return False
        return is_remote(ref) or (self._is_remote and not ref.startswith(("/", "file://")))

    def _read_member(self, archive: str, member: Member) -> bytes:
        self._check_size(member.size, str(member))
        is_tar = member.archive.endswith(".tar")
        header = tarfile.BLOCKSIZE if is_tar else 0
        if member.offset < header:
            raise Rejection("unreadable", f"{member} is not a member of an archive")
        content = self._read(archive, member.offset - header, member.size + header)
        if len(content) < member.size + header or (is_tar and not _is_header(content, member)):
            raise Rejection("unreadable", f"{member} is not there: the archive has changed")
        return content[header:]

    def _read(self, location: str, start: int | None = None, size: int | None = None) -> bytes:
        """Return a complete file of at most ``max_bytes``, or ``size`` bytes from ``start``."""
        size = self._max_bytes if size is None else size
        if not is_uri(location):
            return self._read_local(location, start, size)
        from mmray.media.remote.remote import read_remote

        return read_remote(location, self._guard, start=start, size=size, max_s=self._max_read_s)

    def _read_local(self, path: str, start: int | None, size: int) -> bytes:
        real = self._real(path)
        if not any(is_below(real, root) for root in self._real_roots):
            raise Rejection("outside_corpus", f"{path} leads to {real}")
        try:
            # Not blocking: opening a FIFO would wait for a writer for ever.
            descriptor = os.open(real, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
            try:
                status = os.fstat(descriptor)
                if not stat.S_ISREG(status.st_mode):
                    raise Rejection("unreadable", f"{path} is not a regular file")
                if start is not None:
                    return _read_span(descriptor, start, size)
                self._check_size(status.st_size, path)
                return self._read_whole(descriptor, status.st_size, path)
            finally:
                os.close(descriptor)
        except FileNotFoundError:
            raise Rejection("not_found", path) from None
        except OSError as error:
            raise Rejection("unreadable", str(error)) from None

    def _real(self, path: str) -> str:
        """Return where a path leads to. Of many files in a folder, the folder is asked once."""
        folder, name = os.path.split(path)
        if folder not in self._real_folders:
            if len(self._real_folders) >= HELD_FOLDERS:
                self._real_folders.clear()
            self._real_folders[folder] = os.path.realpath(folder)
        location = os.path.join(self._real_folders[folder], name)  # noqa: PTH118 (of every payload)
        return os.path.realpath(location) if os.path.islink(location) else location  # noqa: PTH114

    def _read_whole(self, descriptor: int, size: int, where: str) -> bytes:
        # Room for the limit instead would be asked for and cleared.
        payload = _read_span(descriptor, 0, size + 1)
        if len(payload) > size:  # it has grown meanwhile
            payload += _read_span(descriptor, len(payload), self._max_bytes + 1 - len(payload))
        self._check_size(len(payload), where)
        return payload

    def _check_size(self, size: int, where: str) -> None:
        if size > self._max_bytes:
            raise Rejection("too_large", f"{where}: {size} bytes; the limit is {self._max_bytes}")


def read_and_decode(
    reader: PayloadReader, decode: Callable[[bytes], Any], entry: bytes | str
) -> Digested:
    """Decode a payload, or what a reference leads to; a Rejection by ``decode`` is returned."""
    payload = reader.read(entry) if isinstance(entry, str) else entry
    try:
        return Digested(digest_bytes(payload), decode(payload))
    except Rejection as rejection:
        return Digested(digest_bytes(payload), Rejection(rejection.reason, rejection.detail))


def _read_span(descriptor: int, start: int, size: int) -> bytes:
    """Return ``size`` bytes of a file, or what there is. A file object would take twice as long."""
    parts: list[bytes] = []
    while size > 0 and (part := os.pread(descriptor, min(size, MAX_PREAD), start)):
        parts.append(part)
        start, size = start + len(part), size - len(part)
    return b"".join(parts)


def _is_header(content: bytes, member: Member) -> bool:
    """Return whether the block before a member's bytes is its header."""
    try:
        info = tarfile.TarInfo.frombuf(content[: tarfile.BLOCKSIZE], "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return info.isreg() and info.size == member.size
