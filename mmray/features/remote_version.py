"""Versions of remote payloads: what changes when a file changes under its URI.

Asked for only where the document wants it, many at a time, and remembered until ``forget``: the
stages of one workflow see one state of the corpus.
"""

import posixpath
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from mmray.core.rejection import Rejection
from mmray.errors import ExtractionError
from mmray.media.address import HostGuard
from mmray.media.place import WEB
from mmray.media.remote import call, open_filesystem, version_in, version_of

ASKED_AT_ONCE = 16
LISTED_FROM = 50
"""A folder with so many payloads is listed: one request per thousand instead of one each."""
ABSENT = "absent"

_known: dict[str, str] = {}


def remote_versions(uris: Sequence[str], guard: HostGuard, *, max_s: float) -> dict[str, str]:
    """Return the version of each; of a payload that cannot be read, that it is absent.

    A server that is not reached is an ExtractionError: all its payloads would look changed.
    """
    _list_folders([uri for uri in uris if uri not in _known], max_s)
    unknown = [uri for uri in uris if uri not in _known]
    with ThreadPoolExecutor(ASKED_AT_ONCE) as pool:
        _known.update(pool.map(partial(_ask, guard=guard, max_s=max_s), unknown))
    return {uri: _known[uri] for uri in uris}


def forget() -> None:
    """Let the next question go to the servers again."""
    _known.clear()


def _ask(uri: str, guard: HostGuard, max_s: float) -> tuple[str, str]:
    try:
        return uri, version_of(uri, guard, max_s=max_s)
    except Rejection as rejection:
        if rejection.reason not in ("unreachable", "read_timeout"):
            return uri, ABSENT
        raise ExtractionError(
            f"cannot ask for the version of a payload: {rejection.detail}",
            where=uri,
            hint="run again, or say 'data.remote_version: none' and go without",
        ) from None


def _list_folders(uris: Sequence[str], max_s: float) -> None:
    folders: dict[str, list[str]] = defaultdict(list)
    for uri in uris:
        if not uri.startswith(WEB):
            folders[posixpath.dirname(uri)].append(uri)
    for folder, files in folders.items():
        if len(files) >= LISTED_FROM:
            _known.update(_listed(folder, files, max_s))


def _listed(folder: str, uris: list[str], max_s: float) -> dict[str, str]:
    """Return what a listing tells; nothing where the account may read but not list."""
    try:
        filesystem, path = open_filesystem(folder)
        entries = call(filesystem, "ls", path, 10 * max_s, detail=True)
    except Rejection:
        return {}
    found = {posixpath.basename(str(e["name"])): version_in(e) for e in entries}
    names = {uri: posixpath.basename(uri) for uri in uris}
    return {uri: found[name] for uri, name in names.items() if name in found}
