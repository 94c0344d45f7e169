"""Every mode of a Pillow picture as 8-bit RGB. Axes: H height, W width."""

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from mmray.media.image.deep import grey_from_16_bits


def to_rgb(image: Image.Image, bits: int | None = None) -> Image.Image:
    """Return the picture in mode RGB; what is transparent becomes white.

    Sixteen bits scale by their range, see ``scale_bits``; wider numbers, which have none, by their
    own extent.
    """
    if image.mode == "RGB":
        return image
    if image.mode.startswith("I;16"):
        return Image.fromarray(grey_from_16_bits(image, bits)).convert("RGB")
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
