"""The end of containers of sound and video, by their own headers."""

import struct

BOXES = frozenset(
    (b"ftyp", b"styp", b"moov", b"moof", b"mdat", b"free", b"skip", b"wide", b"pnot", b"mfra",
     b"sidx", b"ssix", b"uuid", b"meta", b"udta", b"prft", b"emsg"),
)  # fmt: skip
"""Those at the top level of MP4 and MOV."""
EBML, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"
_MAX_BOXES = 100_000


def is_boxed(payload: bytes) -> bool:
    """Return whether the payload begins like MP4, MOV and M4A."""
    return payload[4:8] in BOXES


def end_of_boxes(payload: bytes, *, until: bytes = b"") -> int:
    """Return where the last top-level box ends; what is no box (padding, junk) ends the walk.

    So does, after the first box, one of the name ``until``.
    """
    offset = 0
    for _ in range(_MAX_BOXES):
        name = payload[offset + 4 : offset + 8]
        if name not in BOXES or (offset and name == until):
            return offset
        (size,) = struct.unpack_from(">I", payload, offset)
        if size == 1 and offset + 16 <= len(payload):
            (size,) = struct.unpack_from(">Q", payload, offset + 8)
        if size < 8:  # 0 reaches to the end of the file
            return len(payload)
        offset += size
    return offset


def end_of_segment(payload: bytes) -> int:
    """Return where the Matroska segment ends; one of unknown length ends with the payload."""
    header, offset = _ebml_size(payload, len(EBML))
    offset += header
    if payload[offset : offset + 4] != _SEGMENT:
        return len(payload)
    size, start = _ebml_size(payload, offset + 4)
    is_unknown = size == (1 << 7 * (start - offset - 4)) - 1
    return len(payload) if is_unknown else start + size


def _ebml_size(payload: bytes, offset: int) -> tuple[int, int]:
    """Return a length of one to eight bytes, and where it ends."""
    if offset >= len(payload) or not payload[offset]:
        return 0, offset
    count = 9 - payload[offset].bit_length()
    value = int.from_bytes(payload[offset : offset + count], "big")
    return value & ((1 << 7 * count) - 1), offset + count
