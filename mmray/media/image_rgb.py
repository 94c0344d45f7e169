"""Every mode of a Pillow picture as 8-bit RGB. Axes: H height, W width."""

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

_PHOTOMETRIC = 262  # TIFF tag; 0 means that zero is white


def to_rgb(image: Image.Image) -> Image.Image:
    """Return the picture in mode RGB; what is transparent becomes white.

    Sixteen bits scale by their range; wider numbers, which have none, by their own extent.
    """
    if image.mode == "RGB":
        return image
    if image.mode.startswith("I;16"):
        return _from_16_bits(image)
    if image.mode in ("I", "F"):
        return Image.fromarray(scale_extent(np.asarray(image))).convert("RGB")
    if image.has_transparency_data:
        layers = image.convert("RGBA")
        white = Image.new("RGBA", layers.size, "white")
        return Image.alpha_composite(white, layers).convert("RGB")
    return image.convert("RGB")


def scale_extent(values: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Return the values as uint8, the least as 0 and the largest as 255."""
    low, high = float(values.min()), float(values.max())
    if not np.isfinite([low, high]).all():
        raise ValueError("not every pixel is a finite number")
    scaled = (values.astype(np.float64) - low) * (255.0 / max(high - low, 1e-12))
    return scaled.round().astype(np.uint8)


def _from_16_bits(image: Image.Image) -> Image.Image:
    brightness = (np.arange(1 << 16) / 257.0).round().astype(np.uint8)
    tags = getattr(image, "tag_v2", {})
    if tags.get(_PHOTOMETRIC) == 0:  # Pillow turns eight bits round, not sixteen
        brightness = brightness[::-1]
    return Image.fromarray(brightness[np.asarray(image)]).convert("RGB")
