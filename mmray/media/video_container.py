"""Which container a payload is, and whether its end is there: told from a few bytes.

Only containers named here are opened. Left to guess, the library would also take playlists, which
name other files to open.
"""

import struct
from typing import Literal, TypeAlias

from mmray.core.rejection import Rejection

Format: TypeAlias = Literal["mp4", "matroska", "avi"]

_BOXES = frozenset(
    (b"ftyp", b"styp", b"moov", b"moof", b"mdat", b"free", b"skip", b"wide", b"pnot", b"mfra",
     b"sidx", b"ssix", b"uuid", b"meta", b"udta", b"prft", b"emsg"),
)  # fmt: skip
_EBML, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"
_MAX_BOXES = 100_000


def find_format(payload: bytes) -> Format:
    """Return the container. Rejects ``video_empty`` and ``video_unrecognised``."""
    if not payload:
        raise Rejection("video_empty", "the payload has no bytes")
    if payload[4:8] in _BOXES:
        return "mp4"
    if payload.startswith(_EBML):
        return "matroska"
    if payload.startswith(b"RIFF") and payload[8:12] == b"AVI ":
        return "avi"
    raise Rejection("video_unrecognised", f"starts with {payload[:12]!r}")


def check_whole(payload: bytes, container: Format) -> None:
    """Reject ``video_truncated`` where a part of the container says it is longer than the payload.

    A clip that was cut off is playable up to there, and would stand for the whole in silence.
    """
    match container:
        case "mp4":
            end = _end_of_boxes(payload)
        case "matroska":
            end = _end_of_segment(payload)
        case "avi":
            end = _end_of_riff(payload)
    if end > len(payload):
        raise Rejection("video_truncated", f"{len(payload)} bytes of at least {end}")


def _end_of_boxes(payload: bytes) -> int:
    """Return where the last top-level box ends; what is no box (padding, junk) ends the walk."""
    place = 0
    for _ in range(_MAX_BOXES):
        if payload[place + 4 : place + 8] not in _BOXES:
            return place
        (size,) = struct.unpack_from(">I", payload, place)
        if size == 1 and place + 16 <= len(payload):
            (size,) = struct.unpack_from(">Q", payload, place + 8)
        if size < 8:  # 0 reaches to the end of the file
            return len(payload)
        place += size
    return place


def _end_of_segment(payload: bytes) -> int:
    """Return where the Matroska segment ends; one of unknown length ends with the payload."""
    header, place = _ebml_size(payload, len(_EBML))
    place += header
    if payload[place : place + 4] != _SEGMENT:
        return len(payload)
    size, start = _ebml_size(payload, place + 4)
    is_unknown = size == (1 << 7 * (start - place - 4)) - 1
    return len(payload) if is_unknown else start + size


def _ebml_size(payload: bytes, place: int) -> tuple[int, int]:
    """Return a length of one to eight bytes, and where it ends."""
    if place >= len(payload) or not payload[place]:
        return 0, place
    count = 9 - payload[place].bit_length()
    value = int.from_bytes(payload[place : place + count], "big")
    return value & ((1 << 7 * count) - 1), place + count


def _end_of_riff(payload: bytes) -> int:
    """Return where the last RIFF chunk ends; a large AVI has several."""
    place = 0
    while payload[place : place + 4] == b"RIFF" and place + 8 <= len(payload):
        (size,) = struct.unpack_from("<I", payload, place + 4)
        place += 8 + size
    return place
