"""Whether a sound or video file ends before its own structure says so."""

from collections.abc import Callable
from struct import error, unpack_from

from mmray.media.audio.mp3_frames import TAG, tag_end
from mmray.media.container_end import EBML, end_of_boxes, end_of_segment, is_boxed

_TOLERATED = 64
"""Some writers count their own header."""
_UNKNOWN = 0x7FFFFFFF - 4096
"""Writers that stream do not know the size and put one near the largest."""


def bytes_missing(payload: bytes) -> int:
    """Return how many bytes the payload lacks, or 0 if it is complete or does not say.

    Knows WAV, AIFF, Ogg, MP4/MOV, Matroska/WebM, and MP3 with the usual header of its encoder.
    Other damage than a missing end is not looked for.
    """
    if is_boxed(payload):
        return max(0, end_of_boxes(payload) - len(payload))
    if payload.startswith(EBML):
        return max(0, end_of_segment(payload) - len(payload))
    for magic, offset, measure in _MEASURES:
        if payload[offset : offset + len(magic)] == magic:
            try:
                missing = measure(payload) - len(payload)
            except (error, IndexError):  # it ends inside of a size
                missing = _TOLERATED + 1
            return missing if missing > _TOLERATED else 0
    return 0


def bytes_behind_empty(payload: bytes) -> int:
    """Return how many bytes follow a chunk of samples that says it has none; other chunks do not.

    Of a format without chunks, all bytes count: whoever reads it has to find that out.
    """
    header = {b"WAVE": "<4sI", b"AIFF": ">4sI", b"AIFC": ">4sI"}.get(payload[8:12])
    if header is None:
        return len(payload)
    offset = payload.find(b"data" if header == "<4sI" else b"SSND", 12)
    start = offset = offset + 8
    while offset + 8 <= len(payload):
        _, size = unpack_from(header, payload, offset)
        offset += 8 + size + size % 2
    return 0 if offset == len(payload) else len(payload) - start


def _riff_end(payload: bytes) -> int:
    return _chunks_end(payload, "<4sI", b"data")


def _aiff_end(payload: bytes) -> int:
    return _chunks_end(payload, ">4sI", b"SSND")


def _chunks_end(payload: bytes, header: str, wanted: bytes) -> int:
    """Return where the chunk with the samples ends."""
    offset = 12
    while offset + 8 <= len(payload):
        name, size = unpack_from(header, payload, offset)
        if name == wanted:
            return 0 if size >= _UNKNOWN else offset + 8 + size
        offset += 8 + size + size % 2
    return 0


def _pages_end(payload: bytes) -> int:
    """Return where the last page of an Ogg file ends, plus one more when it is not the last."""
    offset = payload.rfind(b"OggS")
    flags, segments = payload[offset + 5], payload[offset + 26]
    end = offset + 27 + segments + sum(payload[offset + 27 : offset + 27 + segments])
    is_last = bool(flags & 4)
    return end if is_last or end > len(payload) else len(payload) + _TOLERATED + 1


def _tagged_end(payload: bytes) -> int:
    """Return where the frames of an MP3 with an ID3 tag end."""
    return _frames_end(payload, tag_end(payload, 0))


def _frames_end(payload: bytes, offset: int = 0) -> int:
    """Return where the frames of an MP3 end, as its encoder wrote into the first of them."""
    first = payload[offset : offset + 64]
    told = max(first.find(b"Xing"), first.find(b"Info"))
    if told < 0:
        return 0
    flags = unpack_from(">I", payload, offset + told + 4)[0]
    if not flags & 2:
        return 0
    return offset + int(unpack_from(">I", payload, offset + told + 8 + 4 * (flags & 1))[0])


_MEASURES: tuple[tuple[bytes, int, Callable[[bytes], int]], ...] = (
    (b"WAVE", 8, _riff_end),
    (b"AIFF", 8, _aiff_end),
    (b"AIFC", 8, _aiff_end),
    (b"OggS", 0, _pages_end),
    (TAG, 0, _tagged_end),
    *((bytes((0xFF, version)), 0, _frames_end) for version in (0xFA, 0xFB, 0xF2, 0xF3, 0xE2, 0xE3)),
)
