"""Versions of remote payloads: what changes when a file changes under its URI.

They are requested in bulk when features are extracted, unless the document says none, and stored in
the workspace: later stages see the corpus as it was extracted, and send no request.
"""

import logging
import posixpath
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from mmray.core.file.atomic import replacing
from mmray.core.rejection import Rejection
from mmray.core.text.secret import masked
from mmray.errors import ExtractionError
from mmray.features.store.shard import read_columns
from mmray.media.location import WEB
from mmray.media.remote.address import HostGuard
from mmray.media.remote.remote import call, open_filesystem, version_in, version_of

ASKED_AT_ONCE = 16
LISTED_FROM = 50
"""A folder with this many payloads is listed: one request per thousand instead of one each."""
MANY = 1_000
"""This many requests are worth a log line."""
ABSENT = "absent"
VERSIONS = "remote_versions.parquet"
logger = logging.getLogger(__name__)


class RemoteVersions:
    """The versions of payloads on servers, each asked for once."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def of(self, uris: Sequence[str], guard: HostGuard, *, max_s: float) -> dict[str, str]:
        """Return the version of each; ``ABSENT`` for a payload that cannot be read.

        An unreachable server is an ExtractionError: all its payloads would look changed.
        """
        self._list_folders([uri for uri in uris if uri not in self._known], max_s)
        unknown = [uri for uri in uris if uri not in self._known]
        if len(unknown) >= MANY:
            logger.info(
                "asking for the versions of %d payloads ('data.remote_version: none' skips this)",
                len(unknown),
            )
        with ThreadPoolExecutor(ASKED_AT_ONCE) as pool:
            self._known.update(pool.map(partial(_ask, guard=guard, max_s=max_s), unknown))
        return {uri: self._known[uri] for uri in uris}

    def save(self, workspace: Path) -> None:
        """Write down the versions that servers gave, for later stages."""
        if self._known:
            columns = {"uri": list(self._known), "version": list(self._known.values())}
            with replacing(workspace / VERSIONS) as temporary:
                if any(masked(uri) != uri for uri in self._known):  # signed URLs
                    temporary.touch(mode=0o600)
                pq.write_table(pa.table(columns), temporary, compression="zstd")

    def recall(self, workspace: Path) -> None:
        """Use what ``save`` wrote instead of asking servers."""
        if (workspace / VERSIONS).is_file():
            table, _ = read_columns(workspace / VERSIONS, ("uri", "version"))
            saved = zip(table["uri"].to_pylist(), table["version"].to_pylist(), strict=True)
            self._known = dict(saved) | self._known

    def _list_folders(self, uris: Sequence[str], max_s: float) -> None:
        folders: dict[str, list[str]] = defaultdict(list)
        for uri in uris:
            if not uri.startswith(WEB):
                folders[posixpath.dirname(uri)].append(uri)
        for folder, files in folders.items():
            if len(files) >= LISTED_FROM:
                self._known.update(_listed(folder, files, max_s))


def _ask(uri: str, guard: HostGuard, max_s: float) -> tuple[str, str]:
    try:
        return uri, version_of(uri, guard, max_s=max_s)
    except Rejection as rejection:
        if rejection.reason not in ("unreachable", "read_timeout"):
            return uri, ABSENT
        raise ExtractionError(
            f"cannot ask for the version of a payload: {rejection.detail}",
            where=uri,
            hint="run again, or set 'data.remote_version: none' to skip this",
        ) from None


def _listed(folder: str, uris: list[str], max_s: float) -> dict[str, str]:
    """Return the versions of a listing; none if the account may read but not list."""
    try:
        filesystem, path = open_filesystem(folder)
        entries = call(filesystem, "ls", path, 10 * max_s, detail=True)
    except Rejection:
        return {}
    found = {posixpath.basename(str(e["name"])): version_in(e) for e in entries}
    names = {uri: posixpath.basename(uri) for uri in uris}
    return {uri: found[name] for uri, name in names.items() if name in found}
