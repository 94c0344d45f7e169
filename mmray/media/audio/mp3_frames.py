"""The frames of an MP3, by their headers alone: how many there are, and where recordings join."""

from collections.abc import Iterator
from dataclasses import dataclass
from struct import error, unpack_from

TAG = b"ID3"
_KBITS = {
    True: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    False: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""Kilobits per second of the first version of MPEG, and of the later ones."""
_RATES_HZ = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
"""By the two bits that name the version."""


@dataclass(frozen=True, slots=True)
class Mp3Recording:
    """One recording of those that an MP3 consists of: frames of one sample rate."""

    payload: bytes
    """Its frames, without what lies between them."""
    is_counted: bool
    """Whether its first frame is a header with the right number of the others."""


def split_mp3(payload: bytes) -> list[Mp3Recording]:
    """Return the recordings: one begins at a header, after a tag, or where the rate changes."""
    found: list[list[tuple[int, int]]] = []
    last_rate_hz, last_end = 0, 0
    for start, end, rate_hz in _frames(payload):
        is_after_tag = TAG in payload[last_end : min(start, last_end + len(TAG))]
        if rate_hz != last_rate_hz or is_after_tag or _header(payload, start):
            found.append([])
        found[-1].append((start, end))
        last_rate_hz, last_end = rate_hz, end
    return [_recording(payload, spans) for spans in found if len(spans) > 1]


def _recording(payload: bytes, spans: list[tuple[int, int]]) -> Mp3Recording:
    header = _header(payload, spans[0][0])
    if header and _counted(payload, spans[0][0] + header) == len(spans) - 1:
        return Mp3Recording(payload[spans[0][0] : spans[-1][1]], is_counted=True)
    sound = spans[1:] if header else spans
    return Mp3Recording(b"".join(payload[start:end] for start, end in sound), is_counted=False)


def _counted(payload: bytes, header: int) -> int:
    """Return the number of frames in a header; -1 if it does not say."""
    try:
        (flags,) = unpack_from(">I", payload, header + 4)
        return int(unpack_from(">I", payload, header + 8)[0]) if flags & 1 else -1
    except error:
        return -1


def _header(payload: bytes, start: int) -> int:
    """Return where in a frame a header of its encoder lies; 0 where the frame holds sound."""
    first = payload[start : start + 64]
    return max(0, first.find(b"Xing"), first.find(b"Info"))


def _frames(payload: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield start, end and sample rate of each frame; what lies between frames is skipped.

    A frame touches another one or the end: alone, it is chance.
    """
    offset, last_end, size = 0, -1, len(payload)
    while offset + 4 <= size:
        found = _frame(payload, offset)
        if found and (offset == last_end or found[0] >= size or _frame(payload, found[0])):
            yield offset, *found
            offset = last_end = found[0]
        elif payload.startswith(TAG, offset):
            offset = tag_end(payload, offset)
        else:
            offset = _next(payload, offset + 1)


def _frame(payload: bytes, offset: int) -> tuple[int, int] | None:
    """Return end and sample rate of the frame at ``offset``; None where there is none."""
    if offset + 4 > len(payload):
        return None
    one, two, three = payload[offset], payload[offset + 1], payload[offset + 2]
    if one != 0xFF or two & 0xE6 != 0xE2:  # the third layer of some version
        return None
    version, kbits, rate = two >> 3 & 3, three >> 4, three >> 2 & 3
    if version == 1 or kbits in (0, 15) or rate == 3:
        return None
    rate_hz, is_first = _RATES_HZ[version][rate], version == 3
    bits = (144_000 if is_first else 72_000) * _KBITS[is_first][kbits]
    return offset + bits // rate_hz + (three >> 1 & 1), rate_hz


def tag_end(payload: bytes, offset: int) -> int:
    """Return where the ID3 tag at ``offset`` ends."""
    size = 0
    for byte in payload[offset + 6 : offset + 10]:
        size = size << 7 | byte & 127
    return offset + 10 + size


def _next(payload: bytes, offset: int) -> int:
    """Return where a frame or a tag may begin."""
    found = [at for at in (payload.find(b"\xff", offset), payload.find(TAG, offset)) if at >= 0]
    return min(found, default=len(payload))
