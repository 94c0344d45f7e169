"""Pictures of 16 bits: what their numbers range over, and colours that Pillow cuts to 8 bits.

Axes: H height, W width.
"""

from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

_DEPTHS = (8, 10, 12, 14, 16)
"""Bit depths that cameras and scanners deliver in 16 bits."""
_PHOTOMETRIC, _BITS = 262, 258  # TIFF tags; a photometric of 0 means that zero is white
_BY_FFMPEG = {"PNG": "png_pipe", "TIFF": "tiff_pipe"}


def scale_bits(values: npt.NDArray[np.uint16], bits: int | None) -> npt.NDArray[np.uint8]:
    """Return the values as uint8, 0 as 0 and the largest number of ``bits`` bits as 255.

    Without ``bits``, it is the fewest of 8, 10, 12, 14 and 16 that hold the largest value.
    """
    depth = bits or next(depth for depth in _DEPTHS if int(values.max()) < 2**depth)
    brightness = (np.arange(1 << 16) * (255.0 / (2**depth - 1))).round().clip(0, 255)
    return brightness.astype(np.uint8)[values]


def grey_from_16_bits(image: Image.Image, bits: int | None) -> npt.NDArray[np.uint8]:
    """Return a grey picture ``(H, W)``; a TIFF may state its bits, and that zero is white."""
    tags: Any = getattr(image, "tag_v2", {})
    told = int(tags.get(_BITS, (16,))[0])
    shown = scale_bits(np.asarray(image), bits or (told if told < 16 else None))
    return 255 - shown if tags.get(_PHOTOMETRIC) == 0 else shown  # Pillow turns eight bits round


def is_deep(image: Image.Image) -> bool:
    """Return whether Pillow will reduce 16-bit colours to 8; call it before loading."""
    tiles: Any = getattr(image, "tile", [])
    told = tiles[0][3] if tiles else ""
    return str(told if isinstance(told, str) else told[0]).startswith("RGB;16")


def colours_from_16_bits(
    payload: bytes, image: Image.Image, bits: int | None
) -> Image.Image | None:
    """Return a loaded picture with the range that its colours have; None where it has that already.

    FFmpeg reads what Pillow has cut. Its errors are no reason to refuse what Pillow reads.
    """
    brightest = int(np.asarray(image).max())
    if brightest >= 64 if bits is None else bits == 16:  # more than 14 bits
        return None
    import av

    try:
        container: Any = av.open(BytesIO(payload), format=_BY_FFMPEG[image.format or ""])
        with container:
            frame = next(container.decode(video=0)).reformat(format="rgb48le")
    except (av.FFmpegError, OSError, ValueError, LookupError, StopIteration):
        return None
    deep = Image.fromarray(scale_bits(frame.to_ndarray(), bits))
    deep.info["exif"] = image.getexif().tobytes()
    return deep
