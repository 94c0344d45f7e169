"""Bytes and versions of remote files: the web by our own client, all else by fsspec."""

from functools import partial
from typing import Any, cast

import fsspec
from fsspec.core import url_to_fs

from mmray.core.rejection import Rejection
from mmray.media.location import WEB
from mmray.media.remote.address import HostGuard
from mmray.media.remote.deadline import run_call, run_coroutine

EXTRAS = {"s3": "s3", "s3a": "s3", "gs": "gs", "gcs": "gs"}
"""The extra of a scheme, as in ``pip install 'mmray[s3]'``."""
MAX_DETAIL = 300

FileSystem = fsspec.AbstractFileSystem


def read_remote(
    uri: str, guard: HostGuard, *, start: int | None = None, size: int, max_s: float
) -> bytes:
    """Return ``size`` bytes from ``start``, or a complete file that is no larger than that.

    Rejects with ``not_found``, ``too_large``, ``outside_corpus``, ``read_timeout``, ``unreachable``
    (asking again may help) or ``unreadable`` (it will not).
    """
    if uri.startswith(WEB):
        from mmray.media.remote.web import web_client

        return web_client(guard).read(uri, start=start, size=size, max_s=max_s)
    filesystem, path = open_filesystem(uri)
    first = start or 0
    # One byte more than is allowed: asking for the size first would double the requests.
    stop = first + size + (start is None)
    try:
        content = cast("bytes", call(filesystem, "cat_file", path, max_s, start=first, end=stop))
    except Rejection as rejection:
        # An empty object has no first byte that could be asked for.
        if rejection.reason == "unreadable" and _is_empty(filesystem, path, max_s):
            return b""
        raise
    if len(content) > size:
        raise Rejection("too_large", f"{uri}: more than the {size} bytes that are allowed")
    return content


def version_of(uri: str, guard: HostGuard, *, max_s: float) -> str:
    """Return what changes when the file changes: its ETag, else its size and date.

    Rejects as ``read_remote`` does.
    """
    if uri.startswith(WEB):
        from mmray.media.remote.web import web_client

        return web_client(guard).version(uri, max_s=max_s)
    filesystem, path = open_filesystem(uri)
    return version_in(call(filesystem, "info", path, max_s))


def version_in(info: dict[str, Any]) -> str:
    """Return the version of a file in a listing."""
    etag = info.get("ETag") or info.get("etag")
    dates = (info.get(key) for key in ("LastModified", "updated", "mtime", "last_modified"))
    return str(etag or f"{info.get('size')}|{next((date for date in dates if date), '')}")


def open_filesystem(uri: str) -> tuple[FileSystem, str]:
    """Return the filesystem of a URI, and the path on it; a scheme that is unknown is rejected."""
    scheme = uri.split("://", 1)[0]
    if "::" in uri:
        raise Rejection("unreadable", f"{uri}: chains of filesystems ('::') are refused")
    try:
        # Listings that are kept would hide that a file has changed.
        filesystem, path = url_to_fs(uri, use_listings_cache=False)
    except ImportError:
        extra = EXTRAS.get(scheme)
        what = f"pip install 'mmray[{extra}]'" if extra else "install its package for fsspec"
        raise Rejection("unreadable", f"{scheme}:// cannot be read here: {what}") from None
    except ValueError as error:
        raise Rejection("unreadable", f"{scheme}:// is not known: {error}") from None
    except Exception as error:
        raise rejection_of(error, uri) from None
    return filesystem, path


def call(filesystem: FileSystem, method: str, path: str, max_s: float, **settings: object) -> Any:  # noqa: ANN401 (whatever the method returns)
    """Call one method of a filesystem; whatever goes wrong, or takes too long, is rejected."""
    try:
        if filesystem.async_impl:
            coroutine = getattr(filesystem, f"_{method}")(path, **settings)
            return run_coroutine(coroutine, cast("Any", filesystem).loop, max_s)
        return run_call(partial(getattr(filesystem, method), path, **settings), max_s)
    except Rejection:
        raise
    # Every remote filesystem has its own family of exceptions, many of them no OSError.
    except Exception as error:
        raise rejection_of(error, f"{filesystem.unstrip_protocol(path)}") from None


def rejection_of(error: Exception, uri: str) -> Rejection:
    """Return what a filesystem's own exception means to us."""
    name, told = type(error).__name__, str(error)[:MAX_DETAIL]
    if isinstance(error, FileNotFoundError):
        return Rejection("not_found", uri)
    if name in ("NoCredentialsError", "PartialCredentialsError", "DefaultCredentialsError"):
        return Rejection("unreadable", f"{uri}: no credentials were found ({told})")
    if isinstance(error, PermissionError):
        return Rejection("unreadable", f"{uri}: access is denied ({told})")
    if isinstance(error, ConnectionError | TimeoutError) or name.startswith(_CONNECTION):
        return Rejection("unreachable", f"{uri}: {name}: {told}")
    return Rejection("unreadable", f"{uri}: {name}: {told}")


_CONNECTION = ("EndpointConnection", "ConnectTimeout", "ReadTimeout", "ConnectionClosed", "Client")
"""Beginnings of the names of connection errors, in libraries without a common base class."""


def _is_empty(filesystem: FileSystem, path: str, max_s: float) -> bool:
    try:
        return call(filesystem, "info", path, max_s).get("size") == 0
    except Rejection:
        return False
