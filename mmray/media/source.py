"""From a media ref to the bytes of a payload. What a manifest says is hostile until checked."""

import os
import re
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, cast
from urllib.parse import unquote, urlsplit

from mmray.core.rejection import Rejection

_SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*://")


class PayloadReader:
    """Reads payloads that lie under ``folder`` (the manifest's) or one of ``roots``.

    A ref is a path relative to ``folder``, an absolute path, or a URI. Rejects with ``not_found``,
    ``empty``, ``too_large``, ``outside_corpus`` or ``unreadable``.
    """

    def __init__(self, roots: Sequence[str], folder: str, max_bytes: int) -> None:
        self._roots = tuple(roots)
        self._folder = folder
        self._max_bytes = max_bytes
        # Resolved once: a root may itself be a link, as /tmp is on some machines.
        self._real_roots = tuple(os.path.realpath(root) for root in _local((folder, *roots)))

    def read(self, ref: str) -> bytes:
        """Return the bytes that ``ref`` points to."""
        if not ref.strip() or "\0" in ref:
            raise Rejection("not_found", "the reference is empty or holds a null character")
        problem = check_reference(ref, self._folder, self._roots)
        if problem:
            raise Rejection("outside_corpus", problem)
        place = _place(ref, self._folder)
        payload = self._read_uri(place) if _is_uri(place) else self._read_local(place)
        if not payload:
            raise Rejection("empty", place)
        return payload

    def _read_local(self, path: str) -> bytes:
        real = os.path.realpath(path)
        if not any(_is_below(real, root) for root in self._real_roots):
            raise Rejection("outside_corpus", f"{path} leads to {real}")
        try:
            # Not blocking: opening a FIFO would wait for a writer for ever.
            descriptor = os.open(real, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
            with os.fdopen(descriptor, "rb") as stream:
                status = os.fstat(stream.fileno())
                if not stat.S_ISREG(status.st_mode):
                    raise Rejection("unreadable", f"{path} is not a regular file")
                self._check_size(status.st_size, path)
                return self._read_stream(stream, path)
        except FileNotFoundError:
            raise Rejection("not_found", path) from None
        except OSError as error:
            raise Rejection("unreadable", str(error)) from None

    def _read_uri(self, uri: str) -> bytes:
        import fsspec

        try:
            filesystem, path = fsspec.url_to_fs(uri)
            size = filesystem.info(path).get("size")
            if size is not None:
                self._check_size(int(size), uri)
            with filesystem.open(path, "rb") as stream:
                return self._read_stream(cast("BinaryIO", stream), uri)
        except Rejection:
            raise
        except FileNotFoundError:
            raise Rejection("not_found", uri) from None
        # Every remote filesystem has its own family of exceptions, many of them no OSError.
        except Exception as error:
            raise Rejection("unreadable", f"{type(error).__name__}: {error}") from None

    def _read_stream(self, stream: BinaryIO, where: str) -> bytes:
        payload = stream.read(self._max_bytes + 1)  # a file may grow, a server may lie
        self._check_size(len(payload), where)
        return payload

    def _check_size(self, size: int, where: str) -> None:
        if size > self._max_bytes:
            raise Rejection("too_large", f"{where}: {size} bytes, allowed are {self._max_bytes}")


def check_reference(ref: str, folder: str, roots: Sequence[str]) -> str | None:
    """Return what is wrong with ``ref`` as it is written, or None. Touches no disk."""
    place = _place(ref, folder)
    if not _is_uri(place):
        if any(_is_below(place, os.path.abspath(root)) for root in _local((folder, *roots))):  # noqa: PTH100 (lexical)
            return None
        return f"{ref!r} lies outside of the manifest's folder and of every allowed folder"
    parts = unquote(place.split("://", 1)[1]).split("/")
    if "::" in place or ".." in parts or "\\" in place:
        return f"{ref!r} is not a plain URI ('..', '::' and backslashes are refused)"
    prefixes = [root.rstrip("/") + "/" for root in (folder, *roots) if _is_uri(root)]
    if any(place.startswith(prefix) for prefix in prefixes):
        return None
    scheme = place.split("://", 1)[0]
    return f"{ref!r} does not start with an allowed prefix ({scheme}://... is not in data.allow)"


def _place(ref: str, folder: str) -> str:
    """Return the normalised absolute path, or the URI, that ``ref`` names."""
    if ref.startswith("file://"):
        ref = _file_path(ref)
    if _is_uri(ref):
        return ref
    if _is_uri(folder) and not folder.startswith("file://") and not ref.startswith("/"):
        return f"{folder.rstrip('/')}/{ref}"
    base = _file_path(folder) if folder.startswith("file://") else folder
    return os.path.abspath(os.path.join(base, ref))  # noqa: PTH100, PTH118 (lexical, no disk)


def _local(places: Sequence[str]) -> list[str]:
    plain = [_file_path(place) if place.startswith("file://") else place for place in places]
    return [place for place in plain if not _is_uri(place)]


def _is_uri(text: str) -> bool:
    return bool(_SCHEME.match(text))


def _file_path(uri: str) -> str:
    return unquote(urlsplit(uri).path)


def _is_below(path: str, root: str) -> bool:
    return Path(path).is_relative_to(root)
