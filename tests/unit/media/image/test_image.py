import struct
import tracemalloc
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image

from mmray.core.rejection import Rejection
from mmray.media.image.decode import ImageSteps, decode_image, open_image
from tests.support.payload import clip_payload, encode_image, photo, photo_payload, tone


def decode(payload, height=32, width=32, crop="none", max_pixels=10_000_000, draft=2.0):
    steps = ImageSteps(crop, max_pixels, draft)
    return decode_image(payload, height=height, width=width, steps=steps)


def reason(payload, **options):
    with pytest.raises(Rejection) as rejection:
        decode(payload, **options)
    return rejection.value.reason


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_claiming(width, height, data=zlib.compress(bytes(100))):  # noqa: B008
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = chunk(b"IDAT", data)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + pixels + chunk(b"IEND", b"")


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF", "AVIF", "MPO"])
def test_every_format_gives_about_the_same_picture(format):
    expected = np.asarray(photo().resize((32, 32), Image.Resampling.BILINEAR)).astype(int)

    decoded = decode(photo_payload(format=format))

    assert decoded.shape == (32, 32, 3)
    assert decoded.dtype == np.uint8
    assert np.abs(decoded.astype(int) - expected).mean() < (8 if format == "GIF" else 4)


def test_a_jpeg_that_holds_a_second_one_is_decoded_smaller_like_any_other():
    picture = photo(1600, 1200)
    large = encode_image(picture, "JPEG")
    both = encode_image(picture, "MPO", save_all=True, append_images=[photo()])

    decoded = decode(both, draft=2)

    assert np.abs(decoded.astype(int) - decode(large, draft=2)).mean() < 1
    assert np.abs(decoded.astype(int) - decode(both, draft=0)).max() > 0  # not the whole one


@pytest.mark.parametrize("mode", ["L", "P", "CMYK", "1", "LA", "RGBA", "PA"])
def test_every_mode_becomes_rgb(mode):
    grey = Image.new("L", (20, 20), 255)
    format = "TIFF" if mode in ("CMYK", "PA") else "PNG"
    payload = encode_image(
        grey.convert("P").convert(mode) if mode == "PA" else grey.convert(mode), format
    )

    np.testing.assert_array_equal(decode(payload), np.full((32, 32, 3), 255))


def test_sixteen_bits_scale_by_their_range():
    values = np.array([[0, 257], [32896, 65535]], dtype=np.uint16)

    decoded = decode(encode_image(Image.fromarray(values)), height=2, width=2)

    assert decoded[..., 0].tolist() == [[0, 1], [128, 255]]


@pytest.mark.parametrize("zero_is", [0, 1], ids=["white", "black"])
def test_sixteen_bits_of_a_tiff_know_which_end_is_white(zero_is):
    values = np.array([[0, 257], [32896, 65535]], dtype=np.uint16)
    photometric = struct.pack("<HHI", 262, 3, 1)
    payload = encode_image(Image.fromarray(values), "TIFF").replace(
        photometric + b"\1", photometric + bytes([zero_is])
    )

    expected = [[0, 1], [128, 255]] if zero_is else [[255, 254], [127, 0]]

    assert decode(payload, height=2, width=2)[..., 1].tolist() == expected


@pytest.mark.parametrize("type", [np.float32, np.int32])
def test_wide_numbers_scale_by_their_extent(type):
    values = np.array([[-1000, -900], [0, 1000]], dtype=type)
    payload = encode_image(Image.fromarray(values), "TIFF")

    assert decode(payload, height=2, width=2)[..., 2].tolist() == [[0, 13], [128, 255]]


def test_numbers_that_are_not_finite_are_broken():
    values = np.array([[0, np.nan]], dtype=np.float32)

    assert reason(encode_image(Image.fromarray(values), "TIFF")) == "image_broken"


def test_a_printer_s_jpeg_has_the_colours_that_it_prints():
    cyan, black = (255, 0, 0, 0), (0, 0, 0, 255)
    payloads = [
        encode_image(Image.new("CMYK", (16, 16), ink), "JPEG", quality=100) for ink in (cyan, black)
    ]

    assert b"Adobe" in payloads[0]  # and so its values are stored inverted
    assert np.abs(decode(payloads[0])[0, 0].astype(int) - (0, 255, 255)).max() <= 2
    assert decode(payloads[1]).max() <= 2


def test_only_the_first_frame_is_taken():
    frames = [Image.new("RGB", (9, 9), colour) for colour in ("red", "blue")]
    for format in ("GIF", "WEBP", "PNG", "TIFF"):
        options = {"lossless": True} if format == "WEBP" else {}
        payload = encode_image(
            frames[0], format, save_all=True, append_images=frames[1:], **options
        )
        assert (decode(payload) == (255, 0, 0)).all()


def test_transparent_pixels_are_white():
    assert decode(encode_image(Image.new("RGBA", (8, 8), (0, 0, 0, 0)))).min() == 255


def test_a_picture_taken_sideways_is_turned_upright():
    image = Image.new("RGB", (20, 10), "black")
    image.paste("white", (0, 0, 20, 5))
    exif = Image.Exif()
    exif[0x0112] = 6  # turn right by 90 degrees: the top becomes the right side

    decoded = decode(encode_image(image, "PNG", exif=exif), height=20, width=10)

    assert decoded[:, 7:].min() == 255
    assert decoded[:, :3].max() == 0


def test_the_crop_keeps_the_middle_square():
    image = Image.new("RGB", (90, 30), "red")
    image.paste("blue", (30, 0, 60, 30))

    decoded = decode(encode_image(image), crop="center")

    assert (decoded == (0, 0, 255)).all()


def test_a_large_jpeg_is_decoded_smaller_and_looks_the_same():
    payload = encode_image(photo(1200, 900), "JPEG", quality=90)
    full = open_image(payload, ImageSteps("none", 10**7))
    drafted = open_image(payload, ImageSteps("none", 10**7, 1.0), needed_side=128)

    assert drafted.width < full.width / 2
    assert min(drafted.size) >= 2 * 64
    expected = np.asarray(full.resize((64, 64), Image.Resampling.BILINEAR)).astype(int)
    assert np.abs(decode(payload, 64, 64).astype(int) - expected).mean() < 4


@pytest.mark.parametrize("draft", [0.0, 1.0, 2.0, 4.0])
def test_a_draft_is_never_smaller_than_asked(draft):
    payload = encode_image(photo(1600, 1200), "JPEG")

    image = open_image(payload, ImageSteps("none", 10**7, 1.0), needed_side=round(draft * 140))

    assert min(image.size) == {0.0: 1200, 1.0: 150, 2.0: 300, 4.0: 600}[draft]


def test_no_bytes_are_no_picture():
    assert reason(b"") == "image_empty"


def test_a_clip_or_a_text_under_the_name_of_a_picture_is_unrecognised():
    for payload in (clip_payload(tone(0.1)), b"ID3\4\0\0\0\0\0\0", "\ufeffname,age".encode()):
        assert reason(payload) == "image_unrecognised"


@pytest.mark.parametrize("payload", [b"hello", b"\0" * 100, b"%PDF-1.7", b"<svg></svg>"])
def test_what_is_no_picture_is_unrecognised(payload):
    assert reason(payload) == "image_unrecognised"


def test_an_exotic_format_is_unrecognised():
    assert reason(encode_image(photo(), "PPM")) == "image_unrecognised"


@pytest.mark.parametrize("format", ["PNG", "JPEG", "BMP", "GIF"])
def test_half_a_picture_is_truncated(format):
    payload = photo_payload(200, 200, format=format)

    assert reason(payload[: len(payload) // 2]) == "image_truncated"


@pytest.mark.parametrize(
    "payload",
    [b"\x89PNG\r\n\x1a\n" + b"\7" * 50, b"\xff\xd8\xff\xe0" + bytes(20), png_claiming(0, 0)],
)
def test_a_picture_of_garbage_is_broken(payload):
    assert reason(payload) in ("image_broken", "image_truncated")


def test_damaged_pixels_are_broken():
    payload = bytearray(photo_payload(200, 200))
    start = payload.index(b"IDAT") + 100
    payload[start : start + 50] = bytes(50)

    assert reason(bytes(payload)) == "image_broken"


def test_a_picture_over_the_limit_is_rejected_undecoded():
    assert reason(photo_payload(100, 100), max_pixels=9_999) == "image_too_large"
    assert reason(png_claiming(60_000, 60_000), max_pixels=10**12) == "image_too_large"


def test_a_bomb_of_zeros_is_rejected_and_takes_no_memory():
    pixels = b"".join(b"\0" + bytes(3 * 12_000) for _ in range(200))
    bomb = png_claiming(12_000, 12_000, zlib.compress(pixels, 9))
    tracemalloc.start()

    assert reason(bomb) == "image_too_large"

    assert tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()


def test_a_bomb_in_the_words_beside_the_pixels_is_rejected():
    text = b"Comment\0\0" + zlib.compress(bytes(100_000_000), 9)
    payload = photo_payload(20, 20)
    header = payload.index(b"IDAT") - 4

    assert reason(payload[:header] + chunk(b"zTXt", text) + payload[header:]) in (
        "image_too_large", "image_broken",
    )  # fmt: skip


def outcome(payload):
    try:
        return "picture" if decode(payload).shape == (32, 32, 3) else "other shape"
    except Rejection:
        return "rejected"


def test_no_damage_escapes_as_an_exception_or_a_warning():
    generator = np.random.default_rng(0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for format in ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF", "AVIF"):
            whole = photo_payload(40, 40, format=format)
            for _ in range(60):
                damaged = bytearray(whole)
                for index in generator.integers(0, len(whole), 8):
                    damaged[index] = generator.integers(0, 256)
                assert outcome(bytes(damaged)) in ("picture", "rejected")
