"""Text from a corpus, safe for a terminal or a log."""

import json
import re
import unicodedata
from typing import Any

_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_OBEYED = re.compile(
    "[\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff"
    "\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_JOINERS = {"\u200c", "\u200d"}
"""Joiners, needed by Persian, Hindi and emoji; they are harmless."""


def printable(text: str, *, keep: str = "\n") -> str:
    r"""Return ``text`` with every character that controls a terminal escaped.

    Control and escape characters, marks of direction, surrogates and unassigned code points become
    ``\x1b`` or ``\u202e``; those in ``keep`` stay. Text is one line and harmless with ``keep=""``.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if c in keep or _is_harmless(c) else _escaped(c) for c in text)


def _is_harmless(character: str) -> bool:
    return character in _JOINERS or unicodedata.category(character) not in _INVISIBLE


def _escaped(character: str) -> str:
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def printable_json(document: Any, *, indent: int | None = None) -> str:  # noqa: ANN401 (any JSON)
    """Return JSON that reads back as ``document`` and is safe for a terminal."""
    text = json.dumps(document, indent=indent, ensure_ascii=False)
    return _OBEYED.sub(lambda found: json.dumps(found[0])[1:-1], text)
