"""Marks of trials in a plot: named by their number, and with a text that is shown on hover."""

import re
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from mmray.core.file.atomic import replacing

PREFIX = "trial-"
_MARK = re.compile(rf'<g id="{PREFIX}(\d+)">')


def mark(artist: Any, number: int) -> None:  # noqa: ANN401 (any artist of matplotlib)
    """Make an artist the mark of a trial."""
    artist.set_gid(f"{PREFIX}{number}")


def add_hover(path: Path, texts: Mapping[int, str]) -> None:
    """Give each mark of an SVG file its text; a trial may have marks in several plots of a page."""

    def named(found: re.Match[str]) -> str:
        number = int(found[1])
        return f'<g class="trial" data-trial="{number}"><title>{escape(texts[number])}</title>'

    text = _MARK.sub(named, path.read_text(encoding="utf-8"))
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
