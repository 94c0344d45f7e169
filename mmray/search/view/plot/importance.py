"""Bars of the parameters' importances."""

from pathlib import Path

from mmray.evaluation.plot.figure import EMPHASIS, drawing, inches, inner_box, style
from mmray.search.importance import Importances
from mmray.search.view.plot.trial_style import WIDTH
from mmray.search.view.text import short_key

ROW, FONT = 0.34, 9.0
MOST = 20
LONGEST = 40
"""Characters of a parameter's name, the end of which says more than its beginning."""


def plot_importances(found: Importances, path: Path) -> None:
    """Plot a bar per parameter, and beside it the values that the best trials have."""
    rows = found.parameters[:MOST]
    labels = [cut_name(row.name) for row in rows]
    texts = [row.among_best for row in rows]
    left, above, below = inches(labels, FONT) + 0.3, 0.45, 0.55
    right = max(1.5, min(inches(texts, 8.0) + 0.2, WIDTH - left - 2.5))
    height = above + ROW * len(rows) + below
    box = inner_box(WIDTH, height, left=left, right=right, above=above, below=below)
    with drawing(path, WIDTH, height) as figure:
        axes = figure.add_axes(box)
        axes.barh(range(len(rows)), [100 * row.share for row in rows], color=EMPHASIS, height=0.6)
        for number, (row, text) in enumerate(zip(rows, texts, strict=True)):
            axes.annotate(
                f"{100 * row.share:.0f} %", (100 * row.share, number), xytext=(4, 0),
                textcoords="offset points", va="center", fontsize=8.0,
            )  # fmt: skip
            axes.text(
                1.03, number, text, va="center", fontsize=8.0,
                transform=axes.get_yaxis_transform(),
            )  # fmt: skip
        axes.set_yticks(range(len(rows)), labels, fontsize=FONT)
        axes.invert_yaxis()
        axes.set_xlim(0.0, 108 * max(row.share for row in rows))
        style(axes, "share of the importance of all parameters, in %")
        axes.text(
            1.03, 1.01, f"values of the best {found.best} trials", va="bottom", fontsize=8.0,
            color="#555555", transform=axes.transAxes,
        )  # fmt: skip


def cut_name(name: str) -> str:
    """Return a parameter's name without its section, its end where it is too long."""
    shown = short_key(name)
    return shown if len(shown) <= LONGEST else f"…{shown[1 - LONGEST :]}"
