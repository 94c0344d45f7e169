"""Text from a corpus as a terminal or a log may show it."""

import unicodedata

_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_JOINERS = {"\u200c", "\u200d"}
"""Needed to write Persian, Hindi and emoji; they move nothing."""


def printable(text: str, *, keep: str = "\n") -> str:
    r"""Return ``text`` with every character that a terminal would obey written as an escape.

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
