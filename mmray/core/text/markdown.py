"""Text from a corpus in Markdown: shown verbatim, never as markup or HTML."""

import re

from mmray.core.text.printable import printable

_MARKS = re.compile(r"([\\`*\[\]|~#!])")
_BARE_ADDRESS = re.compile(r"(?i)\b(https?|ftp|mailto|www)(?=[:.])")


def plain(text: str) -> str:
    """Return text that Markdown shows verbatim on one line, without links, pictures or tags."""
    text = printable(text, keep="").replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _BARE_ADDRESS.sub(r"\1&#8203;", _MARKS.sub(r"\\\1", text))


def code(text: str) -> str:
    """Return text as code on one line, whatever backticks it holds."""
    text = printable(text, keep="")
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    space = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{space}{text}{space}{fence}"
