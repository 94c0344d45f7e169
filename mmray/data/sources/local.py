"""A corpus on a disk."""

import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from mmray.errors import ManifestError
from mmray.media.location import file_path, is_below, local_locations


def open_local(uri: str, allow: Sequence[str] = ()) -> "LocalSource":
    """Find a path or a ``file://`` URI; what is not there is a ManifestError."""
    path = Path(file_path(uri) if uri.startswith("file://") else uri)
    try:
        found = path.resolve()
        is_folder = found.is_dir()
        exists = found.exists()
    except (OSError, RuntimeError, ValueError) as error:  # a loop of links, a null character
        raise ManifestError(f"cannot reach the manifest {uri!r}: {error}") from None
    if not exists:
        raise ManifestError(
            f"there is no manifest {uri!r}",
            hint="relative paths start in the folder where you call mmray; see 'data.manifest'",
        )
    if not (is_folder or found.is_file()):
        raise ManifestError(f"the manifest {uri!r} is neither a file nor a folder")
    return LocalSource(uri, path if path.is_absolute() else Path.cwd() / path, is_folder, allow)


class LocalSource:
    """On a disk. Of a folder, only what lies in it, or in what ``allow`` lists, is opened."""

    def __init__(self, uri: str, path: Path, is_folder: bool, allow: Sequence[str] = ()) -> None:
        self.uri = uri
        self.is_folder = is_folder
        self._root = path if is_folder else path.parent
        self._only = None if is_folder else path.name
        self.folder = str(self._root.resolve())
        self._roots = [self.folder, *(str(Path(root).resolve()) for root in local_locations(allow))]

    def names(self) -> list[str]:
        """Return the files directly in the folder, or the one file."""
        if self._only is not None:
            return [self._only]
        return sorted(entry.name for entry in self._scan(self._root) if entry.is_file())

    def folders(self) -> list[str]:
        """Return the folders directly in the folder."""
        return sorted(entry.name for entry in self._scan(self._root) if entry.is_dir())

    def walk(self, folder: str) -> list[str]:
        """Return all files below one of the folders; a link to a folder is an error."""
        found: list[str] = []
        self._check_no_link(folder)
        pending = [folder]
        while pending:
            inner = pending.pop()
            for entry in self._scan(self._root / inner):
                name = f"{inner}/{entry.name}"
                if entry.is_dir():
                    self._check_no_link(name)
                (pending if entry.is_dir() else found).append(name)
        return sorted(found)

    def _check_no_link(self, folder: str) -> None:
        if (self._root / folder).is_symlink():
            raise ManifestError(
                "a link to a folder is not followed",
                where=self.location(folder),
                hint="put the folder itself there",
            )

    def _scan(self, folder: Path) -> list["os.DirEntry[str]"]:
        try:
            with os.scandir(folder) as entries:
                return list(entries)
        except OSError as error:
            raise ManifestError(f"cannot list this folder: {error}", where=str(folder)) from None

    def read(self, name: str) -> bytes:
        """Return the content of a file."""
        with self.open(name) as stream:
            return stream.read()

    def stream(self, name: str) -> BinaryIO:
        """Open a file."""
        return self.open(name)

    def open(self, name: str) -> BinaryIO:
        """Open a file to be read and sought in."""
        path = self._checked(name)
        try:
            # Without O_NONBLOCK, opening a pipe waits for its writer.
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            stream = os.fdopen(descriptor, "rb")
        except OSError as error:
            raise ManifestError(
                f"cannot read the manifest: {error.strerror}", where=self.location(name)
            ) from None
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            stream.close()
            raise ManifestError("this is not a regular file", where=self.location(name))
        return stream

    def version(self, name: str) -> str:
        """Return size and time of change."""
        try:
            status = self._checked(name).stat()
        except OSError as error:
            raise ManifestError(
                f"cannot read the manifest: {error.strerror}", where=self.location(name)
            ) from None
        return f"{status.st_size}|{status.st_mtime_ns}"

    def _checked(self, name: str) -> Path:
        """Return the path of a file; one that a link leads out of the corpus is an error."""
        path = self._root / name
        if self._only is None:
            target = str(path.resolve())
            if not any(is_below(target, root) for root in self._roots):
                raise ManifestError(
                    "this is a link out of the corpus",
                    where=self.location(name),
                    hint=f"list the folder of {target!r} in 'data.allow' if you mean it",
                )
        return path

    def location(self, name: str) -> str:
        """Return the path, relative to the current folder where it lies below it."""
        path = self._root / name
        return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
