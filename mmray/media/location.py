"""The location of a reference: a path, a URI, or a member of an archive."""

import os
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote, unquote, urlsplit

_SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*://")
_ARCHIVE = re.compile(r"\.(?:tar|arrow)#")
_IPV6 = re.compile(r"^\[[0-9a-fA-F:.]+\]")
_SPAN = re.compile(r"(\d{1,15})\+(\d{1,15})")
WEB = ("http://", "https://")


@dataclass(frozen=True, slots=True)
class Member:
    """Bytes inside of a larger file: a member of a tar, a cell of an Arrow file."""

    archive: str
    name: str
    offset: int
    """The offset of its bytes."""
    size: int

    def __str__(self) -> str:
        return f"{self.archive}#{self.name}@{self.offset}+{self.size}"


def member_of(ref: str) -> Member | None:
    """Read ``000.tar#cat.jpg@1536+4523``; None for a reference to a complete file."""
    head, _, tail = ref.rpartition("@")
    span, archive = _SPAN.fullmatch(tail), _ARCHIVE.search(head)
    if span is None or archive is None:
        return None
    end = archive.end()
    return Member(head[: end - 1], head[end:], int(span[1]), int(span[2]))


def check_reference(ref: str, folder: str, roots: Sequence[str]) -> str | None:
    """Return what is wrong with ``ref`` as it is written, or None. Touches no disk."""
    member = member_of(ref)
    return check_location(
        ref, location_of(member.archive if member else ref, folder), folder, roots
    )


def check_location(ref: str, location: str, folder: str, roots: Sequence[str]) -> str | None:
    """Return what ``check_reference`` does, of a reference whose location is known."""
    if _has_control(ref):
        return f"{ref!r} holds a control character"
    if is_uri(location):
        return _check_uri(ref, location, (folder, *roots))
    if any(is_below(location, root) for root in _absolute_locations((folder, *roots), os.getcwd())):  # noqa: PTH109
        return None
    return f"{ref!r} lies outside the manifest's folder and every allowed folder"


def _check_uri(ref: str, location: str, roots: Sequence[str]) -> str | None:
    scheme, rest = location.split("://", 1)
    plain = unquote(rest)
    if (
        "::" in _IPV6.sub("", rest)
        or ".." in plain.split("/")
        or "\\" in plain
        or _has_control(plain)
    ):
        return f"{ref!r} is not a plain URI ('..', '::' and backslashes are refused)"
    host = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if "@" in host and scheme != "hdfs":
        return f"the URI of {without_user(location)!r} holds a user name or password"
    if not host.isascii():
        return f"{ref!r} names a host with non-ASCII letters; write its xn-- form"
    if scheme in ("http", "https") and not _has_host(location):
        return f"{ref!r} names no host, or an invalid port"
    if any(location.startswith(prefix) for prefix in uri_prefixes(roots)):
        return None
    return f"{ref!r} does not start with an allowed prefix ({scheme}://... is not in data.allow)"


def uri_prefixes(roots: Sequence[str]) -> Iterator[str]:
    """Yield the URIs of ``roots``, each ending in a slash: s3://pets does not allow s3://pets2."""
    for root in roots:
        if is_uri(root) and not root.startswith("file://"):
            yield root if root.endswith("/") else root + "/"


def location_of(ref: str, folder: str) -> str:
    """Return the normalised absolute path, or the URI, that ``ref`` names."""
    if ref.startswith("file://"):
        ref = file_path(ref)
    if is_uri(ref):
        return ref
    if is_uri(folder) and not folder.startswith("file://") and not ref.startswith("/"):
        # A name is no URI yet; on the web, a '#' would cut it and a space would break it.
        name = quote(ref, safe="/%?&=+,;:@!$'()*~") if folder.startswith(WEB) else ref
        return f"{folder.rstrip('/')}/{name}"
    base = file_path(folder) if folder.startswith("file://") else folder
    return os.path.abspath(os.path.join(base, ref))  # noqa: PTH100, PTH118 (lexical, no disk)


def local_locations(locations: Sequence[str]) -> list[str]:
    """Return those that are paths."""
    plain = [
        file_path(location) if location.startswith("file://") else location
        for location in locations
    ]
    return [location for location in plain if not is_uri(location)]


@lru_cache(maxsize=8)
def _absolute_locations(locations: tuple[str, ...], here: str) -> list[str]:
    local = local_locations(locations)
    return [os.path.normpath(os.path.join(here, path)) for path in local]  # noqa: PTH118


def is_uri(text: str) -> bool:
    """Return whether text starts with a scheme, as in ``s3://``."""
    return bool(_SCHEME.match(text))


def is_remote(text: str) -> bool:
    """Return whether text is a URI of anything but a local file."""
    return is_uri(text) and not text.startswith("file://")


def file_path(uri: str) -> str:
    """Return the path of a ``file://`` URI."""
    return unquote(urlsplit(uri).path)


def is_below(path: str, root: str) -> bool:
    """Return whether ``path`` is ``root`` or lies below it, by their text."""
    # Called several times per payload; Path takes ten times as long.
    return path.startswith(root) and (root[-1:] == "/" or path[len(root) :][:1] in ("", "/"))


def _has_host(uri: str) -> bool:
    try:
        parts = urlsplit(uri)
        return bool(parts.hostname) and parts.port != 0  # a port out of range raises
    except ValueError:
        return False


def _has_control(text: str) -> bool:
    # Only few texts are not printable, so the slow question is rarely asked.
    return not text.isprintable() and any(unicodedata.category(c) == "Cc" for c in text)


def without_user(uri: str) -> str:
    """Return a URI without a user name and password, to be shown."""
    return re.sub(r"://[^/?#]*@", "://", uri)
