"""A corpus: files by name, on a disk, on the web or in a bucket."""

from collections.abc import Mapping
from typing import Any, BinaryIO, Protocol

from mmray.core.rejection import Rejection
from mmray.errors import ManifestError
from mmray.media.location import without_user
from mmray.media.remote.remote import EXTRAS

Row = tuple[str, Mapping[str, Any]]
"""The location to name in an error, and the cells by column."""


class Source(Protocol):
    """A file, or a folder of files; names are relative to the folder and have ``/`` in them."""

    uri: str
    """As the document has it."""
    folder: str
    """The base of relative references: an absolute path or a URI."""
    is_folder: bool

    def names(self) -> list[str]:
        """Return the files directly in the folder, or the one file."""
        ...

    def folders(self) -> list[str]:
        """Return the folders directly in the folder."""
        ...

    def walk(self, folder: str) -> list[str]:
        """Return all files below one of the folders."""
        ...

    def read(self, name: str) -> bytes:
        """Return the content of a file."""
        ...

    def stream(self, name: str) -> BinaryIO:
        """Open a file to be read once from its start to its end; of a disk, a part at a time."""
        ...

    def open(self, name: str) -> BinaryIO:
        """Open a file to be read and sought in."""
        ...

    def version(self, name: str) -> str:
        """Return what changes when the file changes, without reading it."""
        ...

    def location(self, name: str) -> str:
        """Name a file in an error."""
        ...


def manifest_error(rejection: Rejection, uri: str, what: str = "the manifest") -> ManifestError:
    """Return the error for a manifest, or a location of payloads, that cannot be read."""
    shown = without_user(uri)
    if rejection.reason == "not_found":
        return ManifestError(f"there is no manifest {shown!r}", hint="see 'data.manifest'")
    return ManifestError(
        f"cannot reach {what} {shown!r}: {rejection.detail}", hint=_hint(rejection, uri)
    )


def _hint(rejection: Rejection, uri: str) -> str:
    detail = rejection.detail
    extra = EXTRAS.get(uri.split("://", 1)[0])
    if "pip install" in detail and extra:
        return f"pip install 'mmray[{extra}]'"
    if "no credentials" in detail and extra == "s3":
        return "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    if "no credentials" in detail or "access is denied" in detail:
        return "this account must be allowed to list and to read there"
    if "private address" in detail:
        return "list its prefix under 'data.allow' if you mean it"
    if rejection.reason in ("unreachable", "read_timeout"):
        return "is the server up, and its address right?"
    return "see 'data.manifest' and 'data.allow'"
