"""Images: from bytes to RGB. Axes: H height, W width."""

import struct
import warnings
from io import BytesIO
from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from mmray.core.rejection import Rejection

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
_MAGIC = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"BM", b"RIFF", b"II*\0", b"MM\0*")
_DECODER_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    EOFError,
    AttributeError,
    NotImplementedError,
    MemoryError,
    struct.error,
)
_SHORT = ("truncated", "not enough", "too short", "unexpected end", "data ended")
Crop = Literal["none", "center"]


def decode_image(
    payload: bytes, *, height: int, width: int, crop: Crop, max_pixels: int
) -> npt.NDArray[np.uint8]:
    """Return the picture as ``(height, width, 3)`` uint8."""
    image = open_image(payload, crop=crop, max_pixels=max_pixels, shortest_side=max(height, width))
    if image.size != (width, height):
        image = image.resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(image, dtype=np.uint8)  # (H, W, 3)


def open_image(
    payload: bytes, *, crop: Crop, max_pixels: int, shortest_side: int | None = None
) -> Image.Image:
    """Return the upright RGB picture, its middle square when ``crop`` is ``center``.

    A JPEG may come smaller than it is when ``shortest_side`` says what is needed. Rejects
    ``image_unrecognised``, ``image_truncated``, ``image_broken`` or ``image_too_large``.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what Pillow thinks of odd metadata helps nobody
        try:
            with Image.open(BytesIO(payload), formats=FORMATS) as image:
                _check_pixels(image, max_pixels)
                if shortest_side is not None:
                    _draft(image, shortest_side)
                image.load()
                rgb = _to_rgb(_upright(image))
        except Image.DecompressionBombError as error:
            raise Rejection("image_too_large", str(error)) from None
        except UnidentifiedImageError:
            known = payload.startswith(_MAGIC)
            reason = "image_broken" if known else "image_unrecognised"
            raise Rejection(reason, f"starts with {payload[:8]!r}") from None
        except _DECODER_ERRORS as error:
            raise Rejection(_reason(error), f"{type(error).__name__}: {error}") from None
    return _middle_square(rgb) if crop == "center" else rgb


def _check_pixels(image: Image.Image, max_pixels: int) -> None:
    width, height = image.size
    if width * height > max_pixels:
        raise Rejection("image_too_large", f"{width} x {height} pixels, allowed are {max_pixels}")


def _draft(image: Image.Image, shortest_side: int) -> None:
    """Let the JPEG decoder leave out what is not needed; twice the size keeps the quality."""
    scale = 2 * shortest_side / min(image.size)
    if image.format == "JPEG" and scale < 1:
        image.draft("RGB", (int(image.width * scale) + 1, int(image.height * scale) + 1))


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except _DECODER_ERRORS:
        return image  # broken metadata around a good picture


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode == "RGB":
        return image
    if image.mode.startswith(("I", "F")):
        return Image.fromarray(_to_8_bit(image)).convert("RGB")
    if image.has_transparency_data:
        layers = image.convert("RGBA")
        white = Image.new("RGBA", layers.size, "white")
        return Image.alpha_composite(white, layers).convert("RGB")
    return image.convert("RGB")


def _to_8_bit(image: Image.Image) -> npt.NDArray[np.uint8]:
    """Sixteen bits scale by their range; wider numbers, which have none, by their own extent."""
    values = np.asarray(image, dtype=np.float64)  # (H, W)
    if image.mode.startswith("I;16"):
        return (values / 257.0).round().astype(np.uint8)
    if not np.isfinite(values).all():
        raise ValueError("not every pixel is a finite number")
    low, high = values.min(), values.max()
    return ((values - low) * (255.0 / max(high - low, 1e-12))).round().astype(np.uint8)


def _middle_square(image: Image.Image) -> Image.Image:
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return image.crop((left, top, left + side, top + side))


def _reason(error: BaseException) -> str:
    text = str(error).lower()
    is_short = isinstance(error, EOFError) or any(word in text for word in _SHORT)
    return "image_truncated" if is_short else "image_broken"
