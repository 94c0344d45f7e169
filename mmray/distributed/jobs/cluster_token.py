"""The token that Ray's processes ask of each other: where it is, and to whom it is sent.

A local node gets a token of its own, which no file holds: the node ends with this process, and its
processes inherit the token. A cluster's token is in the file that Ray made for it.
"""

import functools
import ipaddress
import logging
import os
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

logger = logging.getLogger(__name__)
TOKEN, TOKEN_PATH, TOKEN_HOSTS = "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH", "MMRAY_TOKEN_HOSTS"
DEFAULT_PATH = "~/.ray/auth_token"


def local_token() -> dict[str, str]:
    """Return what gives a local node a token of its own, unless the environment names one."""
    if os.environ.get(TOKEN) or os.environ.get(TOKEN_PATH):
        return {}
    return {TOKEN: _own_token()}


@functools.cache
def _own_token() -> str:
    """Return this process's token: Ray reads one, once, and keeps it when it disconnects."""
    return secrets.token_hex(32)


def auth_headers(address: str) -> dict[str, str]:
    """Return this machine's Ray token as a header, if ``address`` may have it.

    As a header and not by ``RAY_AUTH_MODE``: Ray reads that only once, when it is imported. A
    cluster without authentication ignores it.
    """
    token = read_token()
    if not token:
        return {}
    if not may_have_token(address, os.environ):
        logger.warning(
            "the token is not sent to %s, which is neither this machine nor https:// (use a tunnel "
            "to the dashboard, or name the host in %s)",
            address,
            TOKEN_HOSTS,
        )
        return {}
    return {"Authorization": f"Bearer {token}"}


def may_have_token(address: str, environment: Mapping[str, str]) -> bool:
    """Return whether a token sent there is safe on its way, or the host was named as trusted.

    ``MMRAY_TOKEN_HOSTS`` names hosts, separated by commas, to which it may go in clear.
    """
    try:
        parts = urlsplit(address)
        host = (parts.hostname or "").lower()
    except ValueError:
        return False
    named = {name.strip().lower() for name in environment.get(TOKEN_HOSTS, "").split(",")}
    return bool(host) and (parts.scheme == "https" or _is_loopback(host) or host in named)


def read_token() -> str:
    """Return the cluster's token on this machine, or nothing; its file is closed to others."""
    given = os.environ.get(TOKEN, "").strip()
    path = Path(os.environ.get(TOKEN_PATH) or DEFAULT_PATH).expanduser()
    if given or not path.is_file():
        return given
    protect(path)
    return path.read_text("utf-8").strip()


def protect(path: Path) -> None:
    """Make a file readable by its owner only: Ray writes its token for all to read."""
    status = path.stat()
    if status.st_uid == os.getuid() and stat.S_IMODE(status.st_mode) & 0o077:
        path.chmod(0o600)
        logger.info("%s could be read by others; now only by you", path)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
