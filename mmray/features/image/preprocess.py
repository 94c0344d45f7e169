"""The preprocessing of a vision checkpoint, done with Pillow.

Axes: B batch, H height, W width. Needs neither torch nor transformers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from mmray.core.rejection import Rejection
from mmray.errors import ConfigError
from mmray.media.image.decode import ImageSteps, open_image

SETTINGS = (
    "do_resize", "size", "resample", "do_center_crop", "crop_size", "crop_pct", "do_pad", "pad_size"
)  # fmt: skip
"""Settings of a transformers image processor that place and size a picture."""
WARPED_FROM = 384
"""ConvNeXt and ResNet checkpoints of this size and above resize to a square and crop nothing."""
Size = tuple[int, int]
"""Height and width."""
Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Preprocess:
    """Resize, crop, normalisation and padding of one checkpoint, equal to transformers' own."""

    exact: Size | None
    """Resize to this size, whatever the shape."""
    shortest: int | None
    """Resize the shorter side to this."""
    longest: int | None
    """Never let ``shortest`` make the longer side longer than this."""
    crop: Size | None
    pad: Size | None
    """Fill up to this size, after the normalisation, on the right and at the bottom."""
    resample: int
    values: npt.NDArray[np.float32]
    """The values of the 256 brightnesses of each colour, ``(3, 256)``."""

    @property
    def output(self) -> Size | None:
        """The size of what reaches the network, or None where it depends on the picture."""
        return self.pad or self.crop or self.exact

    @property
    def needed_side(self) -> int:
        """The shorter side below which a picture would be enlarged; 0 when it is not resized."""
        return max(self.exact) if self.exact else max(self.shortest or 0, self.longest or 0)

    def resized(self, size: Size) -> Size:
        """Return the height and width that a picture of ``size`` has before it is cropped."""
        if self.exact:
            return self.exact
        return scaled_size(size, self.shortest, self.longest) if self.shortest else size

    def resize(self, image: Image.Image) -> Pixels:
        """Return ``(H, W, 3)`` uint8 of the size that the checkpoint wants, not yet padded."""
        before = image.height, image.width
        height, width = self.resized(before)
        if (height, width) != before:
            image = image.resize((width, height), self.resample)
        pixels = np.asarray(image, dtype=np.uint8)  # (H, W, 3)
        return _centre(pixels, self.crop) if self.crop else pixels

    def normalise(self, pixels: Pixels) -> npt.NDArray[np.float32]:
        """Turn pictures ``(..., H, W, 3)`` into what the network takes, ``(..., 3, H, W)``."""
        *before, height, width, _ = pixels.shape
        to_height, to_width = self.pad or (height, width)
        values = np.zeros((*before, 3, to_height, to_width), dtype=np.float32)
        for colour, table in enumerate(self.values):
            values[..., colour, :height, :width] = table[pixels[..., colour]]
        return values


def decode_for(payload: bytes, *, preprocess: Preprocess, steps: ImageSteps) -> Pixels:
    """Return the picture as the checkpoint wants it, ``(H, W, 3)`` uint8.

    Rejects as ``open_image`` does, and ``image_too_large`` when a long and thin picture would be
    that after its shorter side is brought to size.
    """
    image = open_image(payload, steps, needed_side=preprocess.needed_side)
    height, width = preprocess.resized((image.height, image.width))
    if height * width > steps.max_pixels:
        raise Rejection("image_too_large", f"{width} x {height} pixels once resized")
    return preprocess.resize(image)


def read_preprocess(
    settings: Mapping[str, Any], values: npt.NDArray[np.float32], model: str
) -> Preprocess:
    """Turn ``SETTINGS`` of a transformers image processor, and its values, into ours."""
    exact, shortest, longest = _resize(settings, model)
    crop = _pair(settings["crop_size"]) if settings.get("do_center_crop") else None
    if shortest and settings.get("crop_pct"):  # ConvNeXt and ResNet
        is_warped = shortest >= WARPED_FROM
        exact = (shortest, shortest) if is_warped else None
        crop = crop if is_warped else (shortest, shortest)
        shortest = None if is_warped else int(shortest / settings["crop_pct"])
    pad = settings.get("pad_size") if settings.get("do_pad") else None
    told = settings.get("resample")
    resample = int(Image.Resampling.BILINEAR if told is None else told)
    return Preprocess(exact, shortest, longest, crop, _pair(pad) if pad else None, resample, values)


def scaled_size(size: Size, shortest: int, longest: int | None) -> Size:
    """Return height and width with the shorter at ``shortest``, the longer within ``longest``."""
    low, high = min(size), max(size)
    exact = float(shortest)
    if longest and high / low * shortest > longest:
        exact = longest * low / high
        shortest = max(1, round(exact))
    if shortest == low:
        return size
    other = int(exact * high / low)
    return (shortest, other) if size[0] <= size[1] else (other, shortest)


def _resize(settings: Mapping[str, Any], model: str) -> tuple[Size | None, int | None, int | None]:
    """Return the exact size, or the limits of the shorter and the longer side."""
    if not settings.get("do_resize"):
        return None, None, None
    size = settings.get("size") or {}
    size = {"shortest_edge": size} if isinstance(size, int) else dict(size)
    size = {key: value for key, value in size.items() if value}
    match size:
        case {"height": height, "width": width}:
            return (height, width), None, None
        case {"shortest_edge": shortest, "longest_edge": longest}:
            return None, shortest, longest
        case {"shortest_edge": shortest}:
            return None, shortest, None
        case _:
            raise ConfigError(
                f"checkpoint {model!r} resizes by {size}, which is not supported",
                hint="use a checkpoint with 'shortest_edge' or 'height' and 'width'",
            )


def _pair(size: Any) -> Size:  # noqa: ANN401 (a number, or a mapping in one of two classes)
    return (size, size) if isinstance(size, int) else (size["height"], size["width"])


def _centre(pixels: Pixels, size: Size) -> Pixels:
    """Cut the middle out; what lies outside of a smaller picture is black."""
    height, width = size
    above, before = max(0, height - pixels.shape[0]), max(0, width - pixels.shape[1])
    if above or before:
        around = ((above - above // 2, above // 2), (before - before // 2, before // 2), (0, 0))
        pixels = np.pad(pixels, around)
    top, left = (pixels.shape[0] - height) // 2, (pixels.shape[1] - width) // 2
    return np.ascontiguousarray(pixels[top : top + height, left : left + width])
