"""Broken files out of good ones, the same ones every time."""

import numpy as np

HEADER = 256
"""Bytes at the start of a file where damage matters most."""


def mutate(payload: bytes, seed: int) -> bytes:
    """Return ``payload`` damaged in one to three places, chosen by ``seed``."""
    rng = np.random.default_rng(seed)
    data = bytearray(payload)
    for _ in range(rng.integers(1, 4)):
        if data:
            data = _DAMAGES[rng.integers(len(_DAMAGES))](data, _place(len(data), rng), rng)
    return bytes(data)


def _place(size: int, rng: np.random.Generator) -> int:
    """Half of all damage is to the header."""
    return int(rng.integers(min(size, HEADER) if rng.random() < 0.5 else size))


def _cut(data: bytearray, place: int, rng: np.random.Generator) -> bytearray:
    return data[:place]


def _flip(data: bytearray, place: int, rng: np.random.Generator) -> bytearray:
    data[place] ^= 1 << int(rng.integers(8))
    return data


def _overwrite(data: bytearray, place: int, rng: np.random.Generator) -> bytearray:
    length = min(len(data) - place, int(rng.integers(1, 33)))
    data[place : place + length] = rng.integers(0, 256, length, dtype=np.uint8).tobytes()
    return data


def _extreme(data: bytearray, place: int, rng: np.random.Generator) -> bytearray:
    """Write a number that promises nothing or far too much."""
    number = (b"\x00" * 4, b"\xff" * 4, b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f")[rng.integers(4)]
    data[place : place + 4] = number
    return data


def _remove(data: bytearray, place: int, rng: np.random.Generator) -> bytearray:
    del data[place : place + int(rng.integers(1, 65))]
    return data


def _repeat(data: bytearray, place: int, rng: np.random.Generator) -> bytearray:
    piece = data[place : place + int(rng.integers(1, 257))]
    return data[:place] + piece * int(rng.integers(2, 5)) + data[place:]


_DAMAGES = (_cut, _flip, _overwrite, _extreme, _remove, _repeat)
