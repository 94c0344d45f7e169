"""Pictures of 16 bits, of which fewer may be used."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from mmray.media.image.decode import ImageSteps, open_image
from tests.support.payload import encode_image

FULL = np.array([[0, 1], [2, 4]]) / 4
"""Black, a quarter, a half and white."""
SHOWN = [[0, 64], [128, 255]]


def shown(payload, bits=None):
    pixels = np.asarray(open_image(payload, ImageSteps("none", 10_000, bits=bits))).astype(int)
    return pixels[..., 1].tolist()


def png(colours):
    """Return a PNG with 16 bits for each of red, green and blue."""

    def chunk(name, content):
        return (
            struct.pack(">I", len(content))
            + name
            + content
            + struct.pack(">I", zlib.crc32(name + content))
        )

    height, width, _ = colours.shape
    header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    lines = b"".join(b"\0" + row.astype(">u2").tobytes() for row in colours)
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(lines)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def grey_tiff(values, bits, *, zero_is_white=False):
    """Return a TIFF; 12 bits are packed, two numbers into three bytes."""
    content = (
        b"".join(
            bytes((a >> 4, (a & 15) << 4 | b >> 8, b & 255))
            for a, b in values.reshape(-1, 2).tolist()
        )
        if bits == 12
        else values.astype("<u2").tobytes()
    )
    height, width = values.shape
    tags = [
        (256, width), (257, height), (258, bits), (259, 1), (262, int(not zero_is_white)),
        (273, 8 + 2 + 8 * 12 + 4), (277, 1), (279, len(content)),
    ]  # fmt: skip
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4) + content


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_the_range_that_a_grey_picture_uses_is_found(bits, format):
    values = (FULL * (2**bits - 1)).round().astype(np.uint16)

    assert shown(encode_image(Image.fromarray(values), format)) == SHOWN


@pytest.mark.parametrize("bits", [10, 12, 14, 16])
def test_the_range_that_colours_use_is_found(bits):
    values = (FULL * (2**bits - 1)).round().astype(np.uint16)

    found = np.array(shown(png(np.stack([values] * 3, axis=-1))))

    assert np.abs(found - SHOWN).max() <= 1  # Pillow cuts where it need not round


def test_the_bits_of_the_document_keep_a_dark_picture_dark():
    dark = (FULL * 255).round().astype(np.uint16)

    assert shown(encode_image(Image.fromarray(dark)), bits=12) == [[0, 4], [8, 16]]
    assert shown(png(np.stack([dark] * 3, axis=-1)), bits=12) == [[0, 4], [8, 16]]


def test_what_is_brighter_than_the_bits_of_the_document_is_white():
    values = np.array([[4095, 4096], [65535, 0]], dtype=np.uint16)

    assert shown(encode_image(Image.fromarray(values)), bits=12) == [[255, 255], [255, 0]]


def test_a_tiff_tells_its_twelve_bits():
    dark = (FULL * 1023).round().astype(np.uint16)  # auto would take ten

    assert shown(grey_tiff(dark, 12)) == [[0, 16], [32, 64]]


def test_white_is_zero_in_twelve_bits_too():
    values = (FULL * 4095).round().astype(np.uint16)

    assert shown(grey_tiff(values, 16, zero_is_white=True)) == [[255, 191], [127, 0]]
