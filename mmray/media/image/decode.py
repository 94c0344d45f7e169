"""Images: from bytes to RGB. Axes: H height, W width."""

import struct
import warnings
import zlib
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from mmray.core.rejection import Rejection
from mmray.media.image.deep import colours_from_16_bits, is_deep
from mmray.media.image.dicom import is_dicom, open_dicom
from mmray.media.image.heic import FORMAT, enable_heic, is_heic
from mmray.media.image.rgb import to_rgb
from mmray.media.looks import looks_like

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
_JPEGS = ("JPEG", "MPO")
"""Phones and cameras put several JPEG into one file: a preview, depth, brightness."""
_MAGIC = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"BM", b"II*\0", b"MM\0*")
_DECODER_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    EOFError,
    AttributeError,
    RuntimeError,
    MemoryError,
    struct.error,
    zlib.error,
)
_SHORT = ("truncated", "not enough", "too short", "unexpected end", "data ended")
_LARGE = ("too large", "too much memory", "exceeds limit")
Crop = Literal["none", "center"]


@dataclass(frozen=True, slots=True)
class ImageSteps:
    """Settings of reading a picture."""

    crop: Crop = "center"
    max_pixels: int = 64_000_000
    draft: float = 0.0
    """How many times larger than needed a JPEG must still be decoded; 0 decodes it at full size."""
    bits: int | None = None
    """Number of used bits of 16; None detects it, see ``scale_bits``."""


def decode_image(
    payload: bytes, *, height: int, width: int, steps: ImageSteps
) -> npt.NDArray[np.uint8]:
    """Return the picture as ``(height, width, 3)`` uint8; rejects as ``open_image`` does."""
    image = open_image(payload, steps, needed_side=max(height, width))
    if image.size != (width, height):
        image = image.resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(image, dtype=np.uint8)  # (H, W, 3)


def open_image(payload: bytes, steps: ImageSteps, *, needed_side: int = 0) -> Image.Image:
    """Return the upright RGB picture, its middle square where ``steps`` say so.

    A JPEG may come at a half, a quarter or an eighth of its size, its shorter side no less than
    ``steps.draft`` times ``needed_side``. Rejects ``image_empty``, ``image_unrecognised``,
    ``image_truncated``, ``image_broken``, ``image_too_large`` or ``image_unsupported``.
    """
    if not payload:
        raise Rejection("image_empty", "no bytes")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what a library thinks of odd metadata helps nobody
        if is_dicom(payload):
            rgb = open_dicom(payload, max_pixels=steps.max_pixels)
        else:
            rgb = _open_picture(payload, steps, round(steps.draft * needed_side))
    return _middle_square(rgb) if steps.crop == "center" else rgb


def _open_picture(payload: bytes, steps: ImageSteps, needed_side: int) -> Image.Image:
    formats = FORMATS
    if is_heic(payload):
        enable_heic()
        formats = (FORMAT,)
    try:
        with Image.open(BytesIO(payload), formats=formats) as image:
            _check_pixels(image, steps.max_pixels)
            if needed_side and image.format in _JPEGS:
                _draft(image, needed_side)
            was_cut = is_deep(image)
            image.load()
            deep = colours_from_16_bits(payload, image, steps.bits) if was_cut else None
            shown = deep or image
            _turn_upright(shown)
            return to_rgb(shown, steps.bits)
    except Image.DecompressionBombError as error:
        said = str(error).partition(" exceeds")[0]  # of a limit that is the library's, not ours
        raise Rejection("image_too_large", f"{said}; the limit is {steps.max_pixels}") from None
    except UnidentifiedImageError:
        reason = "image_broken" if _is_known(payload) else "image_unrecognised"
        raise Rejection(reason, looks_like(payload)) from None
    except _DECODER_ERRORS as error:
        raise Rejection(_reason(error), f"{type(error).__name__}: {error}") from None


def _is_known(payload: bytes) -> bool:
    """Return whether the payload begins like a picture that could be opened."""
    if payload[4:8] == b"ftyp":
        return payload[8:12] in (b"avif", b"avis") or is_heic(payload)
    return payload.startswith(_MAGIC) or payload[8:12] == b"WEBP"


def _check_pixels(image: Image.Image, max_pixels: int) -> None:
    width, height = image.size
    if width * height > max_pixels:
        raise Rejection("image_too_large", f"{width} x {height} pixels; the limit is {max_pixels}")


def _draft(image: Image.Image, needed_side: int) -> None:
    """Decode a JPEG at reduced scale."""
    scale = needed_side / min(image.size)
    if scale < 1:
        image.draft("RGB", (int(image.width * scale) + 1, int(image.height * scale) + 1))


def _turn_upright(image: Image.Image) -> None:
    """Turn the picture in place as its metadata says, unless they are broken."""
    with suppress(*_DECODER_ERRORS):
        ImageOps.exif_transpose(image, in_place=True)


def _middle_square(image: Image.Image) -> Image.Image:
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return image.crop((left, top, left + side, top + side))


def _reason(error: BaseException) -> str:
    text = str(error).lower()
    if isinstance(error, MemoryError) or any(word in text for word in _LARGE):
        return "image_too_large"
    is_short = isinstance(error, EOFError) or any(word in text for word in _SHORT)
    return "image_truncated" if is_short else "image_broken"
