"""Ways in which a file can be broken. Each takes an intact payload and gives back a broken one."""

import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from typing import TypeAlias

import numpy as np

Damage: TypeAlias = "Callable[[bytes, np.random.Generator], bytes]"

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def truncate_jpeg(payload: bytes, rng: np.random.Generator) -> bytes:
    """Lose the end, as an interrupted copy does."""
    return payload[: int(len(payload) * rng.uniform(0.3, 0.6))]


def empty(payload: bytes, rng: np.random.Generator) -> bytes:
    """Keep a file of no bytes."""
    return b""


def replace_by_html(payload: bytes, rng: np.random.Generator) -> bytes:
    """Save the error page instead of the photo, as a careless download does."""
    return b"<!DOCTYPE html>\n<html><body><h1>404 Not Found</h1></body></html>\n"


def corrupt_png(payload: bytes, rng: np.random.Generator) -> bytes:
    """Overwrite compressed pixels of a PNG whose header is sound."""
    from PIL import Image

    buffer = BytesIO()
    Image.open(BytesIO(payload)).save(buffer, format="PNG")
    png = bytearray(buffer.getvalue())
    start = png.index(b"IDAT") + len(png) // 8
    png[start : start + 512] = rng.bytes(512)
    return bytes(png)


def declare_huge_png(payload: bytes, rng: np.random.Generator) -> bytes:
    """Claim 60,000 x 60,000 px in a file of a few bytes: a decompression bomb."""
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(1_000))), (b"IEND", b""))
    return PNG_SIGNATURE + b"".join(_png_chunk(kind, body) for kind, body in chunks)


def drop_frames(payload: bytes, rng: np.random.Generator) -> bytes:
    """Keep a sound WAV header that announces no frames."""
    return _encode_float_wav(np.zeros(0, dtype=np.float32))


def truncate_wav_header(payload: bytes, rng: np.random.Generator) -> bytes:
    """Stop in the middle of the WAV header."""
    return payload[:20]


def randomize(payload: bytes, rng: np.random.Generator) -> bytes:
    """Replace the file by random bytes."""
    return rng.bytes(4_096)


def fill_with_nan(payload: bytes, rng: np.random.Generator) -> bytes:
    """Keep a sound float WAV in which every waveform sample is NaN."""
    return _encode_float_wav(np.full(16_000, np.nan, dtype=np.float32))


def silence(payload: bytes, rng: np.random.Generator) -> bytes:
    """Keep a sound WAV in which every waveform sample is zero, as a dead microphone does."""
    return _encode_float_wav(np.zeros(16_000, dtype=np.float32))


IMAGE_DAMAGES: tuple[tuple[str, Damage], ...] = (
    (".jpg", truncate_jpeg),
    (".jpg", empty),
    (".jpg", replace_by_html),
    (".png", corrupt_png),
    (".png", declare_huge_png),
)
"""Suffix of the broken file, and how it is broken."""
AUDIO_DAMAGES: tuple[tuple[str, Damage], ...] = (
    (".wav", drop_frames),
    (".wav", truncate_wav_header),
    (".wav", randomize),
    (".wav", fill_with_nan),
    (".wav", silence),
)


def _png_chunk(kind: bytes, body: bytes) -> bytes:
    """Return one PNG chunk with its length and checksum."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _encode_float_wav(waveform: np.ndarray) -> bytes:
    """Return ``waveform`` (S) as a 32-bit float mono WAV file at 16 kHz."""
    from scipy.io import wavfile

    buffer = BytesIO()
    # Not soundfile: it stamps the time of day into float files.
    wavfile.write(buffer, 16_000, waveform)
    return buffer.getvalue()
