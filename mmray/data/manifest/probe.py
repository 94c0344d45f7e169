"""One look at each remote location that payloads lie in, before any work."""

from itertools import islice

from mmray.config.document import Config
from mmray.core.rejection import Rejection
from mmray.data.manifest.manifest import Manifest
from mmray.data.sources.source import manifest_error
from mmray.media.location import WEB, is_remote, is_uri, location_of, member_of
from mmray.media.remote.address import HostGuard
from mmray.media.remote.remote import version_of

MAX_BUCKETS = 16


def probe_references(manifest: Manifest, config: Config) -> None:
    """Ask for the first payload of every bucket that the manifest names.

    A package that is not installed, credentials that are missing and a server that is away would
    reject every payload there: each is a ManifestError. A payload that is not there is none.
    Servers on the web may be thousands, and one that is down is data: only their addresses are
    looked at, as they are written.
    """
    guard = HostGuard(manifest.folder, config.data.allow)
    locations = _first_of_each(manifest, config)
    location = ""
    try:
        for location in locations:
            if location.startswith(WEB):
                guard.check(location)
        for location in islice((p for p in locations if not p.startswith(WEB)), MAX_BUCKETS):
            _ask(location, guard, config.data.max_read_s)
    except Rejection as rejection:
        raise manifest_error(rejection, location, "the payload") from None


def _ask(location: str, guard: HostGuard, max_s: float) -> None:
    try:
        version_of(location, guard, max_s=max_s)
    except Rejection as rejection:
        if rejection.reason != "not_found":
            raise


def _first_of_each(manifest: Manifest, config: Config) -> list[str]:
    """Return the first URI on every host or bucket."""
    found: dict[str, str] = {}
    folder_is_remote = is_remote(manifest.folder)
    for name, modality in config.modalities.items():
        if modality.is_inline:
            continue
        for reference in manifest.references[name]:
            if not isinstance(reference, str) or not (folder_is_remote or is_remote(reference)):
                continue
            member = member_of(reference)
            location = location_of(member.archive if member else reference, manifest.folder)
            if is_uri(location):
                found.setdefault("/".join(location.split("/", 3)[:3]), location)
    return list(found.values())
