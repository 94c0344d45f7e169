"""Which hosts may be connected to: private ones only where the document names that very host."""

import ipaddress
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlsplit

from mmray.core.rejection import Rejection
from mmray.media.location import WEB, check_reference, uri_prefixes

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_PORTS = {"http": 80, "https": 443}
_NUMBER = re.compile(r"\d+|0[xX][0-9a-fA-F]*")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


@dataclass(frozen=True)
class HostGuard:
    """Decides about web addresses, one hop at a time.

    ``folder`` is the manifest's, ``roots`` are the document's ``data.allow``. A host that is
    private (loopback, link-local, a company's own network) is refused unless ``roots`` names its
    address, or ``localhost``; a name that resolves to a private address, unless ``roots`` names
    that address and port with no path. So neither a broad prefix such as ``https://`` nor a name
    that changes its address opens the inside of a network.
    """

    folder: str
    roots: tuple[str, ...]

    def check(self, uri: str) -> None:
        """Reject a URI that is not allowed, before its name is resolved."""
        problem = check_reference(uri, self.folder, self.roots)
        if problem:
            raise Rejection("outside_corpus", problem)
        parts = urlsplit(uri)
        host = parts.hostname or ""
        if _as_address(host) is None and (":" in host or _NUMBER.fullmatch(_last_label(host))):
            raise Rejection("outside_corpus", f"{host!r} is not a plain IP address")
        if _as_address(host) is not None:
            self.check_address(host, parts.port or _PORTS[parts.scheme], host)

    def check_address(self, host: str, port: int, address: str) -> None:
        """Reject the address that ``host`` resolves to when it is private and not named."""
        ip = ipaddress.ip_address(address.partition("%")[0])
        if not is_private(ip) or self._is_named(host, port, ip):
            return
        found = f"{host} is" if host == address else f"{host} leads to"
        raise Rejection(
            "outside_corpus",
            f"{found} the private address {address}; 'data.allow' would have to list "
            f"http://{f'[{ip}]' if ip.version == 6 else ip}:{port}/",
        )

    def _is_named(self, host: str, port: int, ip: Address) -> bool:
        if host == "localhost" and ip.is_loopback:
            return (host, port) in {(named, at) for named, at, _ in self._named}
        if _as_address(host) == ip:
            return (str(ip), port) in {(named, at) for named, at, _ in self._named}
        return (str(ip), port, "/") in self._named

    @cached_property
    def _named(self) -> frozenset[tuple[str, int, str]]:
        return frozenset(_named_hosts(self.roots))


def is_private(ip: Address) -> bool:
    """Return whether an address, or one embedded in it, is not public."""
    return any(not inner.is_global or inner.is_multicast for inner in _unwrapped(ip))


def _unwrapped(ip: Address) -> Iterator[Address]:
    if isinstance(ip, ipaddress.IPv4Address):
        yield ip
        return
    if ip.ipv4_mapped:
        yield ip.ipv4_mapped
        return
    yield ip
    if ip.sixtofour:
        yield ip.sixtofour
    if ip.teredo:
        yield from ip.teredo
    if ip in _NAT64:
        yield ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)


def _named_hosts(roots: Sequence[str]) -> Iterator[tuple[str, int, str]]:
    for prefix in uri_prefixes(roots):
        parts = urlsplit(prefix)
        if not prefix.startswith(WEB) or not parts.hostname:
            continue
        ip = _as_address(parts.hostname)
        host = parts.hostname if ip is None else str(ip)
        yield host, parts.port or _PORTS[parts.scheme], parts.path


def _as_address(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _last_label(host: str) -> str:
    return host.rstrip(".").rpartition(".")[2]
