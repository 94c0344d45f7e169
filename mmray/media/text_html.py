"""HTML: from markup to the text that a reader sees."""

import html
import re

_TAG = re.compile(r"<[A-Za-z/!?][^<>]*>")
_BLOCK = re.compile(r"<(!--|script\b|style\b)", re.IGNORECASE)
_BLOCK_ENDS = {
    "!--": re.compile("-->"),
    "script": re.compile(r"</script\s*>", re.IGNORECASE),
    "style": re.compile(r"</style\s*>", re.IGNORECASE),
}
# Python refuses to read a number of thousands of digits, and no character has nine.
_NO_CHARACTER = re.compile("&#[0-9]{9,};?")


def without_html(text: str) -> str:
    """Drop tags, comments, scripts and styles, and resolve entities once. Time is linear."""
    visible = _TAG.sub(" ", _without_blocks(text))
    return html.unescape(_NO_CHARACTER.sub("\ufffd", visible))


def _without_blocks(text: str) -> str:
    """Drop comments, scripts and styles. A block that never ends stays; time is linear."""
    pieces: list[str] = []
    kept_until = 0
    endless: set[str] = set()
    for match in _BLOCK.finditer(text):
        kind = match[1].lower()
        if match.start() < kept_until or kind in endless:
            continue
        end = _BLOCK_ENDS[kind].search(text, match.end())
        if end is None:
            endless.add(kind)
            continue
        pieces.append(text[kept_until : match.start()])
        kept_until = end.end()
    return " ".join([*pieces, text[kept_until:]])
