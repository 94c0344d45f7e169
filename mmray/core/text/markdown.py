"""Text from a corpus in Markdown: shown verbatim, never as markup or HTML."""

import re

from mmray.core.text.printable import printable

_MARKS = re.compile(r"([\\`*\[\]|~#!])")
_SECTION = re.compile(r"^<!-- (\w+) -->$", re.MULTILINE)
_BARE_ADDRESS = re.compile(r"(?i)\b(https?|ftp|mailto|www)(?=[:.])")


def plain(text: str) -> str:
    """Return text that Markdown shows verbatim on one line, without links, pictures or tags."""
    text = printable(text, keep="").replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _BARE_ADDRESS.sub(r"\1&#8203;", _MARKS.sub(r"\\\1", text))


def with_section(text: str, name: str, section: str) -> str:
    """Return a description with a section replaced, or added at its end.

    The section without a name comes first. Names are comments, which nobody sees.
    """
    parts = _SECTION.split(text)
    sections = {"": parts[0], **dict(zip(parts[1::2], parts[2::2], strict=True)), name: section}
    first = sections.pop("").strip()
    named = (f"<!-- {each} -->\n\n{body.strip()}" for each, body in sections.items())
    return "\n\n".join([*([first] if first else []), *named])


def code(text: str) -> str:
    """Return text as code on one line, whatever backticks it holds."""
    text = printable(text, keep="")
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    space = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{space}{text}{space}{fence}"
