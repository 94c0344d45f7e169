"""Whether a sound or video file ends before its own structure says so."""

from collections.abc import Callable
from struct import error, unpack_from

_TOLERATED = 64
"""Some writers count their own header."""
_UNKNOWN = 0x7FFFFFFF - 4096
"""Writers that stream do not know the size and put one near the largest."""


def bytes_missing(payload: bytes) -> int:
    """Return how many bytes the payload lacks, or 0 when it is whole or does not tell.

    Knows WAV, AIFF, Ogg, MP4/MOV, Matroska/WebM, and MP3 with the usual header of its encoder.
    Damage other than a missing end is not sought.
    """
    for magic, place, measure in _MEASURES:
        if payload[place : place + len(magic)] == magic:
            try:
                missing = measure(payload) - len(payload)
            except (error, IndexError):  # it ends inside of a size
                missing = _TOLERATED + 1
            return missing if missing > _TOLERATED else 0
    return 0


def _riff_end(payload: bytes) -> int:
    return _chunks_end(payload, "<4sI", b"data")


def _aiff_end(payload: bytes) -> int:
    return _chunks_end(payload, ">4sI", b"SSND")


def _chunks_end(payload: bytes, header: str, wanted: bytes) -> int:
    """Return where the chunk with the samples ends."""
    place = 12
    while place + 8 <= len(payload):
        name, size = unpack_from(header, payload, place)
        if name == wanted:
            return 0 if size >= _UNKNOWN else place + 8 + size
        place += 8 + size + size % 2
    return 0


def _boxes_end(payload: bytes) -> int:
    """Return where the last box at the top level of an MP4 ends."""
    place = 0
    while place + 8 <= len(payload):
        size = int(unpack_from(">I", payload, place)[0])
        if size == 1:
            size = int(unpack_from(">Q", payload, place + 8)[0])
        if size < 8:  # 0: as far as the file goes
            return 0
        place += size
    return place


def _pages_end(payload: bytes) -> int:
    """Return where the last page of an Ogg file ends, plus one more when it is not the last."""
    place = payload.rfind(b"OggS")
    flags, segments = payload[place + 5], payload[place + 26]
    end = place + 27 + segments + sum(payload[place + 27 : place + 27 + segments])
    is_last = bool(flags & 4)
    return end if is_last or end > len(payload) else len(payload) + _TOLERATED + 1


def _segment_end(payload: bytes) -> int:
    """Return where the segment of a Matroska file ends."""
    size, place = _vint(payload, 4)
    place += 0 if size is None else size
    if payload[place : place + 4] != b"\x18\x53\x80\x67":
        return 0
    size, place = _vint(payload, place + 4)
    return 0 if size is None else place + size


def _tagged_end(payload: bytes) -> int:
    """Return where the frames of an MP3 with an ID3 tag end."""
    size = 0
    for byte in payload[6:10]:
        size = size << 7 | byte & 127
    return _frames_end(payload, 10 + size)


def _frames_end(payload: bytes, place: int = 0) -> int:
    """Return where the frames of an MP3 end, as its encoder wrote into the first of them."""
    first = payload[place : place + 64]
    told = max(first.find(b"Xing"), first.find(b"Info"))
    if told < 0:
        return 0
    flags = unpack_from(">I", payload, place + told + 4)[0]
    if not flags & 2:
        return 0
    return place + int(unpack_from(">I", payload, place + told + 8 + 4 * (flags & 1))[0])


def _vint(payload: bytes, place: int) -> tuple[int | None, int]:
    """Return a number of variable length, None for unknown, and where it ends."""
    length = 9 - payload[place].bit_length()
    if length > 8:
        return None, place
    end = place + length
    if end > len(payload):
        raise IndexError
    value = int.from_bytes(payload[place:end], "big") & ((1 << 7 * length) - 1)
    return (None if value == (1 << 7 * length) - 1 else value), end


_MEASURES: tuple[tuple[bytes, int, Callable[[bytes], int]], ...] = (
    (b"WAVE", 8, _riff_end),
    (b"AIFF", 8, _aiff_end),
    (b"AIFC", 8, _aiff_end),
    (b"ftyp", 4, _boxes_end),
    (b"OggS", 0, _pages_end),
    (b"\x1a\x45\xdf\xa3", 0, _segment_end),
    (b"ID3", 0, _tagged_end),
    (b"\xff\xfb", 0, _frames_end),
    (b"\xff\xf3", 0, _frames_end),
)
