"""What a vision checkpoint expects of a picture, done with Pillow. Axes: H height, W width."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from mmray.errors import ConfigError

SETTINGS = (
    "do_resize", "size", "resample", "do_center_crop", "crop_size", "crop_pct",
    "do_rescale", "rescale_factor", "do_normalize", "image_mean", "image_std",
)  # fmt: skip
Size = tuple[int, int]
"""Height and width."""


@dataclass(frozen=True, slots=True)
class Preprocess:
    """Resize, crop and normalisation of one checkpoint; the same as transformers' own."""

    exact: Size | None
    """Resize to this size, whatever the shape."""
    shortest: int | None
    """Resize the shorter side to this."""
    crop: Size | None
    resample: int
    values: npt.NDArray[np.float32]
    """What each of the 256 brightnesses of each colour becomes, ``(3, 256)``."""

    def resize(self, image: Image.Image) -> npt.NDArray[np.uint8]:
        """Return ``(H, W, 3)`` uint8 of the size that the checkpoint wants."""
        if self.exact:
            image = image.resize((self.exact[1], self.exact[0]), self.resample)
        elif self.shortest:
            image = image.resize(_scaled(image.size, self.shortest), self.resample)
        pixels = np.asarray(image, dtype=np.uint8)  # (H, W, 3)
        return _centre(pixels, self.crop) if self.crop else pixels

    def normalise(self, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return ``(3, H, W)`` float32."""
        return np.stack([table[pixels[..., colour]] for colour, table in enumerate(self.values)])


def read_preprocess(settings: Mapping[str, Any], model: str) -> Preprocess:
    """Turn the settings of a transformers image processor into ours."""
    size = {key: value for key, value in dict(settings.get("size") or {}).items() if value}
    exact, shortest, crop = None, None, None
    if settings.get("do_resize"):
        if "height" in size and "width" in size:
            exact = (size["height"], size["width"])
        elif set(size) == {"shortest_edge"}:
            shortest = size["shortest_edge"]
        else:
            raise ConfigError(
                f"checkpoint {model!r} resizes by {size}, which is not supported",
                hint="use a checkpoint with 'shortest_edge' or 'height' and 'width'",
            )
    if settings.get("do_center_crop"):
        crop = (settings["crop_size"]["height"], settings["crop_size"]["width"])
    if shortest and settings.get("crop_pct"):  # ConvNeXt and ResNet
        exact = (shortest, shortest) if shortest >= 384 else None
        crop = None if exact else (shortest, shortest)
        shortest = int(shortest / settings["crop_pct"])
    told = settings.get("resample")
    resample = int(Image.Resampling.BILINEAR if told is None else told)
    return Preprocess(exact, shortest, crop, resample, _values(settings))


def _values(settings: Mapping[str, Any]) -> npt.NDArray[np.float32]:
    """Rescale and normalise every brightness, rounding as transformers does."""
    factor = settings["rescale_factor"] if settings.get("do_rescale") else 1.0
    values = np.tile((np.arange(256) * factor).astype(np.float32), (3, 1))  # (3, 256)
    if not settings.get("do_normalize"):
        return values
    mean = np.asarray(settings["image_mean"], dtype=np.float32)
    deviation = np.asarray(settings["image_std"], dtype=np.float32)
    return (values - mean[:, None]) / deviation[:, None]


def _scaled(size: Size, shortest: int) -> Size:
    """Return width and height with the shorter one at ``shortest``."""
    width, height = size
    longest = int(shortest * max(size) / min(size))
    return (shortest, longest) if width <= height else (longest, shortest)


def _centre(pixels: npt.NDArray[np.uint8], size: Size) -> npt.NDArray[np.uint8]:
    """Cut the middle out; what lies outside of a smaller picture is black."""
    height, width = size
    above, before = max(0, height - pixels.shape[0]), max(0, width - pixels.shape[1])
    if above or before:
        around = ((above - above // 2, above // 2), (before - before // 2, before // 2), (0, 0))
        pixels = np.pad(pixels, around)
    top, left = (pixels.shape[0] - height) // 2, (pixels.shape[1] - width) // 2
    return np.ascontiguousarray(pixels[top : top + height, left : left + width])
