"""A made-up picture: two ramps of colour."""

import base64
import io
from typing import Any

import numpy as np
from PIL import Image

from mmray.config.modality.image import ImageConfig

SIDE = 64


def example_picture(config: ImageConfig) -> dict[str, Any]:
    """Return the cell of a PNG file."""
    ramp = np.linspace(0, 255, SIDE, dtype=np.uint8)
    pixels = np.stack([*np.meshgrid(ramp, ramp), np.full((SIDE, SIDE), 128, np.uint8)], axis=-1)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "png")
    content = base64.b64encode(stream.getvalue()).decode()
    return {config.column: f"data:image/png;base64,{content}"}
