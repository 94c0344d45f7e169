"""A corpus on the web, or in a bucket or whatever else fsspec can list."""

import io
import posixpath
from collections.abc import Callable
from typing import Any, BinaryIO, cast
from urllib.parse import urlsplit

from mmray.core.rejection import Rejection
from mmray.data.sources.source import manifest_error
from mmray.errors import ManifestError
from mmray.media.remote.address import HostGuard
from mmray.media.remote.remote import (
    call,
    open_filesystem,
    read_remote,
    version_in,
    version_of,
)

MAX_BYTES = 2**33
"""Most bytes of one file of a manifest."""
MAX_READ_S = 600.0
BLOCK_BYTES = 2**20
"""Bytes of one request for a file that is read in parts."""
REST_BYTES = 2**26
"""What is fetched at once of all that is left of such a file."""


def open_bucket(uri: str) -> "BucketSource":
    """Find a file or folder; what is not there or not readable is a ManifestError."""
    try:
        filesystem, path = open_filesystem(uri)
        is_folder = bool(call(filesystem, "isdir", path, MAX_READ_S))
        if not is_folder:
            call(filesystem, "info", path, MAX_READ_S)  # tells apart: not there, no access
    except Rejection as rejection:
        raise manifest_error(rejection, uri) from None
    return BucketSource(uri, path, is_folder)


class BucketSource:
    """In a bucket, or on any filesystem that fsspec knows."""

    def __init__(self, uri: str, path: str, is_folder: bool) -> None:
        self.uri = uri
        self.is_folder = is_folder
        self._filesystem, _ = open_filesystem(uri)
        self._root = path.rstrip("/") if is_folder else posixpath.dirname(path)
        self._only = None if is_folder else posixpath.basename(path)
        self.folder = f"{uri.split('://', 1)[0]}://{self._root}"

    def names(self) -> list[str]:
        """Return the files directly in the folder, or the one file."""
        return self._list("file") if self._only is None else [self._only]

    def folders(self) -> list[str]:
        """Return the folders directly in the folder."""
        return self._list("directory")

    def walk(self, folder: str) -> list[str]:
        """Return all files below one of the folders."""
        found = self._call("find", f"{self._root}/{folder}")
        return sorted(str(path).removeprefix(f"{self._root}/") for path in found)

    def read(self, name: str) -> bytes:
        """Return the content of a file."""
        return cast("bytes", self._call("cat_file", f"{self._root}/{name}"))

    def stream(self, name: str) -> BinaryIO:
        """Fetch a file in one go: one request, one time limit, one error."""
        return io.BytesIO(self.read(name))

    def open(self, name: str) -> BinaryIO:
        """Open a file to be read in parts, each with a time limit and one kind of error."""
        path = f"{self._root}/{name}"
        size = int(self._call("info", path)["size"])

        def part(start: int, count: int) -> bytes:
            end = min(start + count, size)
            return self._call("cat_file", path, start=start, end=end) if start < end else b""

        return _in_parts(part)

    def version(self, name: str) -> str:
        """Return the ETag, else size and date."""
        return version_in(self._call("info", f"{self._root}/{name}"))

    def location(self, name: str) -> str:
        """Return the URI of a file."""
        return f"{self.folder}/{name}"

    def _list(self, kind: str) -> list[str]:
        entries = self._call("ls", self._root, detail=True)
        paths = (str(entry["name"]).rstrip("/") for entry in entries if entry["type"] == kind)
        # A bucket may hold an empty object in the folder's own name.
        return sorted(posixpath.basename(path) for path in paths if path != self._root)

    def _call(self, method: str, path: str, **settings: object) -> Any:  # noqa: ANN401 (whatever the method returns)
        try:
            return call(self._filesystem, method, path, MAX_READ_S, **settings)
        except Rejection as rejection:
            raise manifest_error(rejection, self.uri) from None


class WebSource:
    """One file on the web: a web server has no folders that could be listed."""

    is_folder = False

    def __init__(self, uri: str, allow: tuple[str, ...]) -> None:
        parts = urlsplit(uri)
        self.uri = uri
        self._name = posixpath.basename(parts.path)
        self.folder = f"{parts.scheme}://{parts.netloc}{posixpath.dirname(parts.path)}"
        self._guard = HostGuard(self.folder, allow)
        if not self._name:
            raise ManifestError(
                "a folder on the web cannot be listed",
                where=uri,
                hint="name a file: a manifest, or one .tar",
            )

    def names(self) -> list[str]:
        """Return the one file."""
        return [self._name]

    def folders(self) -> list[str]:
        """Return nothing: there is one file."""
        return []

    def walk(self, folder: str) -> list[str]:
        """Return nothing: there is one file."""
        del folder
        return []

    def read(self, name: str) -> bytes:
        """Return the content of the file."""
        del name
        return self._fetch(None, MAX_BYTES)

    def stream(self, name: str) -> BinaryIO:
        """Fetch a file in one go: one request, one time limit, one error."""
        return io.BytesIO(self.read(name))

    def open(self, name: str) -> BinaryIO:
        """Open the file to be read in parts; a ManifestError where the server cannot do that."""
        del name
        self._fetch(0, 1)
        return _in_parts(self._fetch)

    def version(self, name: str) -> str:
        """Return the ETag, else date and size."""
        del name
        try:
            return version_of(self.uri, self._guard, max_s=MAX_READ_S)
        except Rejection as rejection:
            raise manifest_error(rejection, self.uri) from None

    def location(self, name: str) -> str:
        """Return the URI of the file."""
        del name
        return self.uri

    def _fetch(self, start: int | None, size: int) -> bytes:
        try:
            return read_remote(self.uri, self._guard, start=start, size=size, max_s=MAX_READ_S)
        except Rejection as rejection:
            raise manifest_error(rejection, self.uri) from None


def _in_parts(part: Callable[[int, int], bytes]) -> BinaryIO:
    """Return a remote file as a stream; ``part`` returns what it holds from a start, so many bytes.

    At the end of the file it returns fewer.
    """
    return cast("BinaryIO", io.BufferedReader(_Parts(part), BLOCK_BYTES))


class _Parts(io.RawIOBase):
    """A remote file as a stream, each read a request."""

    def __init__(self, part: Callable[[int, int], bytes]) -> None:
        self._part = part
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence == io.SEEK_END:
            raise io.UnsupportedOperation("the end of a remote file is not sought")
        self._position = offset + (self._position if whence == io.SEEK_CUR else 0)
        return self._position

    def readinto(self, buffer: memoryview) -> int:  # pyright: ignore[reportIncompatibleMethodOverride]
        content = self._part(self._position, len(buffer))
        buffer[: len(content)] = content
        self._position += len(content)
        return len(content)

    def readall(self) -> bytes:
        found = io.BytesIO()
        while content := self._part(self._position, REST_BYTES):
            found.write(content)
            self._position += len(content)
            if len(content) < REST_BYTES:
                break
        return found.getvalue()
