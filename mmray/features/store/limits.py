"""Settings of the corpus that reject payloads; recorded in shards, compared later."""

from collections.abc import Sequence
from typing import Any


def describe_limits(
    *, allow: Sequence[str], max_payload_bytes: int, max_decode_s: float
) -> dict[str, Any]:
    """Return the limits as plain JSON."""
    return {
        "allow": sorted(allow),
        "max_payload_bytes": max_payload_bytes,
        "max_decode_s": max_decode_s,
    }
