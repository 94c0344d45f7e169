"""From a decoded frame to RGB, upright and of the wanted size. Axes: H height, W width."""

from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

Pixels: TypeAlias = npt.NDArray[np.uint8]
Frame: TypeAlias = Any
"""``av.VideoFrame``; that library is loaded when a video is opened."""
Crop: TypeAlias = Literal["none", "center"]
GREY_SIZE = (32, 18)
"""Width and height of the frames that are compared to find scenes."""

SCALING_THREADS = 1
"""Left to itself, the library starts a thread per core for every frame."""


def render_scaled(frame: Frame, *, height: int, width: int, crop: Crop) -> Pixels:
    """Return ``(height, width, 3)``, scaled in one pass from the decoder's own colours."""
    turn = _orientation(frame)
    out_width, out_height = (height, width) if turn[0] else (width, height)
    side = min(frame.width, frame.height)
    over_x = frame.width / side if crop == "center" else 1.0
    over_y = frame.height / side if crop == "center" else 1.0
    # The whole frame is scaled so that its middle square gets the wanted size, and then cut.
    size = (round(out_width * over_x), round(out_height * over_y))
    if size[0] * size[1] > max(frame.width * frame.height, out_width * out_height):
        return render_picture(frame, crop=crop, resize=_Resize(height, width))
    scaled = frame.reformat(
        *size, format="rgb24", interpolation="BILINEAR", threads=SCALING_THREADS
    ).to_ndarray()
    return np.ascontiguousarray(_turned(_middle(scaled, out_height, out_width), turn))


def render_picture(frame: Frame, *, crop: Crop, resize: Callable[[Image.Image], Pixels]) -> Pixels:
    """Return the complete upright picture, or its middle square, after ``resize``."""
    whole = frame.to_ndarray(format="rgb24", threads=SCALING_THREADS)
    pixels = _turned(whole, _orientation(frame))  # (H, W, 3)
    if crop == "center":
        side = min(pixels.shape[:2])
        pixels = _middle(pixels, side, side)
    return resize(Image.fromarray(np.ascontiguousarray(pixels)))


def render_grey(frame: Frame) -> npt.NDArray[np.int16]:
    """Return a small grey picture, to compare frames."""
    grey = frame.reformat(*GREY_SIZE, format="gray", threads=SCALING_THREADS)
    return grey.to_ndarray().astype(np.int16)


class _Resize:
    """Pillow's resize to one size."""

    def __init__(self, height: int, width: int) -> None:
        self._size = (width, height)

    def __call__(self, image: Image.Image) -> Pixels:
        return np.asarray(image.resize(self._size, Image.Resampling.BILINEAR), dtype=np.uint8)


def _middle(pixels: Pixels, height: int, width: int) -> Pixels:
    top, left = (pixels.shape[0] - height) // 2, (pixels.shape[1] - width) // 2
    return pixels[top : top + height, left : left + width]


def _orientation(frame: Frame) -> tuple[bool, bool, bool]:
    """Return whether to transpose, then to mirror left-right, then top-bottom.

    The display matrix maps a pixel to ``(a x + c y, b x + d y)``; angles between the quarters go
    to the nearest one.
    """
    from av.sidedata.sidedata import SideDataContainer, Type

    # Not ``frame.side_data``: the two would hold each other, megabytes each, until Python collects
    # garbage, which goes by the number of objects.
    container: Any = SideDataContainer
    data = container(frame).get(Type.DISPLAYMATRIX)
    if data is None:
        return False, False, False
    a, b, _, c, d = np.frombuffer(bytes(data), dtype=np.int32)[:5].tolist()
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return False, a < 0, d < 0
    return True, c < 0, b < 0


def _turned(pixels: Pixels, turn: tuple[bool, bool, bool]) -> Pixels:
    is_transposed, is_mirrored, is_flipped = turn
    if is_transposed:
        pixels = pixels.transpose(1, 0, 2)
    if is_mirrored:
        pixels = pixels[:, ::-1]
    return pixels[::-1] if is_flipped else pixels
