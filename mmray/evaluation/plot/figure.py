"""The basis of all plots: SVG with text as text, so that the reader's fonts draw any script."""

import unicodedata
import warnings
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mmray.core.file.atomic import replacing
from mmray.core.text.printable import printable

INK = "#1f4e79"
EMPHASIS = "#5b94c8"
MUTED = "#b9c9d8"
LONGEST_NAME = 24
"""Characters of a name before it is cut."""
SETTINGS: Any = {
    "font.family": ["DejaVu Sans", "sans-serif"],
    "svg.fonttype": "none",
    "svg.hashsalt": "mmray",
    "text.parse_math": False,  # a dollar sign in the name of a class is a dollar sign
}


@contextmanager
def drawing(path: Path, width: float, height: float, *, layout: str = "none") -> Generator[Figure]:
    """Yield a figure of this size in inches and write it as SVG.

    The object interface, not pyplot: no display is needed. The same figure gives the same file.
    """
    with mpl.rc_context(SETTINGS), warnings.catch_warnings():
        # Measured with a font that may lack the script; the reader's own draws it.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure = Figure(figsize=(width, height), layout=layout)  # pyright: ignore[reportArgumentType]
        yield figure
        with replacing(path) as temporary:
            figure.savefig(temporary, format="svg", metadata={"Date": None})


def inner_box(
    width: float, height: float, *, left: float, right: float, above: float, below: float
) -> tuple[float, float, float, float]:
    """Return the axes' box in shares of a figure, by its size and margins in inches."""
    return (
        left / width,
        below / height,
        (width - left - right) / width,
        1 - (above + below) / height,
    )


def short_name(name: str) -> str:
    """Return a name without control characters, cut where it is too long for a plot."""
    shown = printable(name, keep="")
    return shown if len(shown) <= LONGEST_NAME else shown[: LONGEST_NAME - 1] + "…"


def inches(texts: Sequence[str], size: float) -> float:
    """Return the width of the widest text at a font size in points; East Asian ones are square."""
    return (
        max((sum(_em(character) for character in text) for text in texts), default=0.0) * size / 72
    )


def _em(character: str) -> float:
    return 1.0 if unicodedata.east_asian_width(character) in "WF" else 0.64


def style(axes: Axes, x: str = "", y: str = "") -> None:
    """Remove the frame and label the axes."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    axes.set_axisbelow(True)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.tick_params(labelsize=8)
