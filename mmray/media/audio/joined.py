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
    for magic, place, find in _WAYS:
        if payload[place : place + len(magic)] == magic:
            starts = list(find(payload))
            break
    if not starts:
        return [payload]
    return [payload[start:end] for start, end in pairwise([0, *starts, len(payload)])]


def _chunk_starts(payload: bytes, order: str) -> Iterator[int]:
    """Yield where a further WAV or AIFF follows the one before."""
    place, magic, form = 0, payload[:4], payload[8:12]
    while len(payload) >= place + 8:
        (size,) = unpack_from(order, payload, place + 4)
        place += 8 + size + size % 2
        if payload[place : place + 4] != magic or payload[place + 8 : place + 12] != form:
            return
        yield place


def _flac_starts(payload: bytes) -> Iterator[int]:
    for mark in _FLAC:
        place = payload.find(mark, 1)
        while place >= 0:
            yield place
            place = payload.find(mark, place + 1)


def _ogg_starts(payload: bytes) -> Iterator[int]:
    """Yield where a first page follows one that is not a first page."""
    follows = _page_end(payload, 0)
    place = payload.find(_FIRST_PAGE, 1)
    while place >= 0:
        if place != follows:
            yield place
        follows = _page_end(payload, place)
        place = payload.find(_FIRST_PAGE, place + 1)


def _page_end(payload: bytes, place: int) -> int:
    segments = payload[place + 26] if place + 26 < len(payload) else 0
    return place + 27 + segments + sum(payload[place + 27 : place + 27 + segments])


def _box_starts(payload: bytes) -> Iterator[int]:
    place = end_of_boxes(payload, until=b"ftyp")
    while payload[place + 4 : place + 8] == b"ftyp" and b"moov" in payload[place:]:
        yield place
        place += end_of_boxes(payload[place:], until=b"ftyp")


def _segment_starts(payload: bytes) -> Iterator[int]:
    place = end_of_segment(payload)
    while payload.startswith(EBML, place):
        yield place
        place += end_of_segment(payload[place:])


_WAYS: tuple[tuple[bytes, int, Callable[[bytes], Iterator[int]]], ...] = (
    (b"WAVE", 8, lambda payload: _chunk_starts(payload, "<I")),
    (b"AIFF", 8, lambda payload: _chunk_starts(payload, ">I")),
    (b"AIFC", 8, lambda payload: _chunk_starts(payload, ">I")),
    (b"OggS", 0, _ogg_starts),
    (b"fLaC", 0, _flac_starts),
    (b"ftyp", 4, _box_starts),
    (EBML, 0, _segment_starts),
)
