"""Files that are several recordings one after the other: a decoder would stop after the first."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from struct import unpack_from

from mmray.media.container_end import EBML, end_of_boxes, end_of_segment

_FLAC = (b"fLaC\x00\x00\x00\x22", b"fLaC\x80\x00\x00\x22")
"""The mark and the header of the block that always comes first."""
_FIRST_PAGE = b"OggS\x00\x02"


def split_joined(payload: bytes) -> list[bytes]:
    """Return the recordings of a WAV, AIFF, FLAC, Ogg, MP4 or Matroska file; most have one.

    The recordings of an MP3 are those of ``split_mp3``.
    """
    starts: list[int] = []
    for magic, offset, find in _WAYS:
        if payload[offset : offset + len(magic)] == magic:
            starts = list(find(payload))
            break
    if not starts:
        return [payload]
    return [payload[start:end] for start, end in pairwise([0, *starts, len(payload)])]


def _chunk_starts(payload: bytes, order: str) -> Iterator[int]:
    """Yield where a further WAV or AIFF follows the one before."""
    offset, magic, form = 0, payload[:4], payload[8:12]
    while len(payload) >= offset + 8:
        (size,) = unpack_from(order, payload, offset + 4)
        offset += 8 + size + size % 2
        if payload[offset : offset + 4] != magic or payload[offset + 8 : offset + 12] != form:
            return
        yield offset


def _flac_starts(payload: bytes) -> Iterator[int]:
    for mark in _FLAC:
        offset = payload.find(mark, 1)
        while offset >= 0:
            yield offset
            offset = payload.find(mark, offset + 1)


def _ogg_starts(payload: bytes) -> Iterator[int]:
    """Yield where a first page follows one that is not a first page."""
    follows = _page_end(payload, 0)
    offset = payload.find(_FIRST_PAGE, 1)
    while offset >= 0:
        if offset != follows:
            yield offset
        follows = _page_end(payload, offset)
        offset = payload.find(_FIRST_PAGE, offset + 1)


def _page_end(payload: bytes, offset: int) -> int:
    segments = payload[offset + 26] if offset + 26 < len(payload) else 0
    return offset + 27 + segments + sum(payload[offset + 27 : offset + 27 + segments])


def _box_starts(payload: bytes) -> Iterator[int]:
    offset = end_of_boxes(payload, until=b"ftyp")
    while payload[offset + 4 : offset + 8] == b"ftyp" and b"moov" in payload[offset:]:
        yield offset
        offset += end_of_boxes(payload[offset:], until=b"ftyp")


def _segment_starts(payload: bytes) -> Iterator[int]:
    offset = end_of_segment(payload)
    while payload.startswith(EBML, offset):
        yield offset
        offset += end_of_segment(payload[offset:])


_WAYS: tuple[tuple[bytes, int, Callable[[bytes], Iterator[int]]], ...] = (
    (b"WAVE", 8, lambda payload: _chunk_starts(payload, "<I")),
    (b"AIFF", 8, lambda payload: _chunk_starts(payload, ">I")),
    (b"AIFC", 8, lambda payload: _chunk_starts(payload, ">I")),
    (b"OggS", 0, _ogg_starts),
    (b"fLaC", 0, _flac_starts),
    (b"ftyp", 4, _box_starts),
    (EBML, 0, _segment_starts),
)
