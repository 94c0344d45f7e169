"""Bytes over HTTP, hop by hop: every address and every redirect is checked before it is followed.

No cookies, no credentials from the environment and no proxies: a proxy would resolve names itself.
"""

import asyncio
import os
import threading
import weakref
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from functools import lru_cache
from socket import AddressFamily
from typing import Any, TypeVar, cast

import aiohttp
import fsspec.asyn
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

from mmray.core.rejection import Rejection
from mmray.media.remote.address import HostGuard
from mmray.media.remote.deadline import run_coroutine

REDIRECTS = (301, 302, 303, 307, 308)
MAX_HOPS = 5
CHUNK_BYTES = 2**16
PAUSES_S = (0.2, 1.0)
"""A server that is busy or breaks off is asked again after these."""

# Compressed answers could hold far more than they weigh.
_HEADERS = {"User-Agent": "mmray", "Accept-Encoding": "identity"}

T = TypeVar("T")


class WebClient:
    """Reads from the web what its guard lets pass; connections are kept for the next payload."""

    def __init__(self, guard: HostGuard, resolver: AbstractResolver | None = None) -> None:
        self._guard = guard
        self._resolver = resolver
        self._session: aiohttp.ClientSession | None = None
        self._loop = fsspec.asyn.get_loop()

    def read(self, uri: str, *, start: int | None, size: int, max_s: float) -> bytes:
        """Return ``size`` bytes from ``start``, or a complete file that is no larger than that."""
        return run_coroutine(self._read(uri, start, size), self._loop, max_s)

    def version(self, uri: str, *, max_s: float) -> str:
        """Return the ETag, else date and size; empty if the server states neither."""
        return run_coroutine(self._version(uri), self._loop, max_s)

    async def _read(self, uri: str, start: int | None, size: int) -> bytes:
        wanted = {} if start is None else {"Range": f"bytes={start}-{start + size - 1}"}
        for pause in (*PAUSES_S, None):
            try:
                async with self._follow("GET", uri, wanted) as response:
                    return await _body(response, start, size)
            except (aiohttp.ClientError, OSError, Rejection) as error:
                rejection = _rejection(error, uri)
                if pause is None or rejection.reason != "unreachable":
                    raise rejection from None
                await asyncio.sleep(pause)
        raise AssertionError("the last attempt returns or raises")

    async def _version(self, uri: str) -> str:
        try:
            async with self._follow("HEAD", uri, {}) as response:
                said = response.headers
        except (aiohttp.ClientError, OSError, Rejection) as error:
            raise _rejection(error, uri) from None
        changed, size = said.get("Last-Modified", ""), said.get("Content-Length", "")
        return said.get("ETag") or (f"{changed}|{size}" if changed or size else "")

    @asynccontextmanager
    async def _follow(
        self, method: str, uri: str, headers: dict[str, str]
    ) -> AsyncGenerator[aiohttp.ClientResponse]:
        """Yield the answer at the end of the redirects."""
        url = _to_url(uri)
        for _ in range(MAX_HOPS + 1):
            self._guard.check(str(url))  # as it will be sent, not as it was written
            session = await self._open()
            async with session.request(
                method, url, headers=headers, allow_redirects=False
            ) as response:
                location = response.headers.get("Location")
                if response.status not in REDIRECTS or location is None:
                    _check_status(response)
                    yield response
                    return
            url = url.join(_to_url(location))
        raise Rejection("unreadable", f"{uri}: more than {MAX_HOPS} redirects")

    async def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            resolver = _GuardedResolver(self._guard, self._resolver or ThreadedResolver())
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(resolver=resolver, limit=64),
                headers=_HEADERS,
                timeout=aiohttp.ClientTimeout(total=None),  # the deadline is the caller's
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
            )
            weakref.finalize(self, _close, self._session, self._loop)
        return self._session


class _GuardedResolver(AbstractResolver):
    """Resolves a name and checks what it leads to; the connection goes to just that address."""

    def __init__(self, guard: HostGuard, inner: AbstractResolver) -> None:
        self._guard = guard
        self._inner = inner

    async def resolve(
        self, host: str, port: int = 0, family: AddressFamily = AddressFamily.AF_INET
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        for each in found:
            self._guard.check_address(host, port, each["host"])
        return found

    async def close(self) -> None:
        await self._inner.close()


def web_client(guard: HostGuard) -> WebClient:
    """Return this process's client for ``guard``."""
    return _client(guard, os.getpid())


@lru_cache(maxsize=8)
def _client(guard: HostGuard, process: int) -> WebClient:
    return WebClient(guard)


def _close(session: aiohttp.ClientSession, loop: asyncio.AbstractEventLoop) -> None:
    """Close the connections; when the client is collected, or the process ends."""
    with suppress(RuntimeError, TimeoutError):  # the loop is gone, or does not answer any more
        closing = asyncio.run_coroutine_threadsafe(session.close(), loop)
        if threading.current_thread() is not cast("Any", fsspec.asyn.iothread)[0]:
            closing.result(timeout=1)


def _to_url(text: str) -> URL:
    try:
        return URL(text)
    except ValueError as error:
        raise Rejection("unreadable", f"{text!r} is not a URI: {error}") from None


def _check_status(response: aiohttp.ClientResponse) -> None:
    status, where = response.status, response.url
    if status in (404, 410):
        raise Rejection("not_found", str(where))
    if status in (429, 500, 502, 503, 504):
        raise Rejection("unreachable", f"{where} answers {status} {response.reason}")
    if status not in (200, 206, 416):
        raise Rejection("unreadable", f"{where} answers {status} {response.reason}")
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise Rejection("unreadable", f"{where} is sent compressed although that was not requested")


async def _body(response: aiohttp.ClientResponse, start: int | None, size: int) -> bytes:
    if response.status == 416:
        return b""  # the file ends before that part
    if start is not None and response.status != 206:
        raise Rejection("unreadable", f"{response.url}: the server cannot send a part of a file")
    _check_size(response.content_length or 0, size, response.url)
    content = bytearray()
    async for chunk in response.content.iter_chunked(CHUNK_BYTES):
        content += chunk
        _check_size(len(content), size, response.url)  # no length was declared, or a wrong one
    return bytes(content)


def _check_size(found: int, allowed: int, url: URL) -> None:
    if found > allowed:
        raise Rejection("too_large", f"{url}: {found} bytes; the limit is {allowed}")


def _rejection(error: Exception, uri: str) -> Rejection:
    if isinstance(error, Rejection):
        return error
    if isinstance(error, aiohttp.InvalidURL):
        return Rejection("unreadable", f"{uri}: {error}")
    return Rejection("unreachable", f"{uri}: {type(error).__name__}: {error}")
