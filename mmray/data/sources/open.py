"""From what the document names to where it lies."""

from collections.abc import Sequence

from mmray.data.sources.local import open_local
from mmray.data.sources.remote import WebSource, open_bucket
from mmray.data.sources.source import Source
from mmray.errors import ManifestError
from mmray.media.location import WEB, is_remote


def open_source(uri: str, allow: Sequence[str] = ()) -> Source:
    """Find a file or folder; what is not there or not readable is a ManifestError."""
    if "::" in uri and "://" in uri:
        raise ManifestError(
            f"chains of filesystems ('::') are refused: {uri!r}",
            hint="name the file itself, such as s3://bucket/manifest.csv",
        )
    if not is_remote(uri):
        return open_local(uri, allow)
    return WebSource(uri, tuple(allow)) if uri.startswith(WEB) else open_bucket(uri)
