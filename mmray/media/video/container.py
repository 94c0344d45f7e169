"""The container of a payload, and whether its end is there, from a few bytes.

Only containers named here are opened. Left to guess, the library would also take playlists, which
name other files to open.
"""

import struct
from typing import Literal, TypeAlias

from mmray.core.rejection import Rejection
from mmray.media.audio.joined import split_joined
from mmray.media.container_end import EBML, end_of_boxes, end_of_segment, is_boxed
from mmray.media.looks import looks_like

Format: TypeAlias = Literal["mp4", "matroska", "avi"]


def find_format(payload: bytes) -> Format:
    """Return the container. Rejects ``video_empty`` and ``video_unrecognised``."""
    if not payload:
        raise Rejection("video_empty", "the payload has no bytes")
    if is_boxed(payload):
        return "mp4"
    if payload.startswith(EBML):
        return "matroska"
    if payload.startswith(b"RIFF") and payload[8:12] == b"AVI ":
        return "avi"
    raise Rejection("video_unrecognised", looks_like(payload))


def check_whole(payload: bytes, container: Format) -> None:
    """Reject ``video_truncated`` where a part of the container says it is longer than the payload.

    A clip that was cut off is playable up to there, and would silently pass as complete. So would
    the first of several MP4 that were joined: they are ``video_joined``.
    """
    match container:
        case "mp4":
            end = end_of_boxes(payload)
        case "matroska":
            end = end_of_segment(payload)
        case "avi":
            end = _end_of_riff(payload)
    if end > len(payload):
        raise Rejection("video_truncated", f"{len(payload)} bytes of at least {end}")
    if container == "mp4" and (count := len(split_joined(payload))) > 1:
        raise Rejection("video_joined", f"{count} clips in one file; a player shows only the first")


def _end_of_riff(payload: bytes) -> int:
    """Return where the last RIFF chunk ends; a large AVI has several."""
    offset = 0
    while payload[offset : offset + 4] == b"RIFF" and offset + 8 <= len(payload):
        (size,) = struct.unpack_from("<I", payload, offset + 4)
        offset += 8 + size
    return offset
