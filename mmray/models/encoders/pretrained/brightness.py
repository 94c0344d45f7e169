"""Pixels as a checkpoint's network takes them. Axes: H W picture."""

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from mmray.errors import ConfigError


class Brightness:
    """Scales each colour as a checkpoint's preprocessing does: times ``slope``, plus ``black``."""

    def __init__(self, slope: list[float], black: list[float]) -> None:
        self._slope = torch.tensor(slope)[:, None, None]  # (3, 1, 1)
        self._black = torch.tensor(black)[:, None, None]  # (3, 1, 1)

    def __call__(self, pixels: UInt8[Tensor, "... H W 3"]) -> Float[Tensor, "... 3 H W"]:
        """Return channels first; in memory they stay last, which convolutions like best."""
        self._slope = self._slope.to(pixels.device)
        self._black = self._black.to(pixels.device)
        return pixels.movedim(-1, -3).float() * self._slope + self._black


def brightness_facts(values: npt.NDArray[np.float32], model: str) -> dict[str, list[float]]:
    """Return slope and black of a table ``(3, 256)``; one that is no straight line is refused."""
    table = values.astype(np.float64)
    black, slope = table[:, 0], (table[:, 255] - table[:, 0]) / 255.0
    if np.abs(black[:, None] + slope[:, None] * np.arange(256) - table).max() > 1e-4:
        raise ConfigError(
            f"the preprocessing of checkpoint {model!r} does more than scale brightness",
            hint="use a custom encoder for this checkpoint",
        )
    return {"slope": slope.tolist(), "black": black.tolist()}
