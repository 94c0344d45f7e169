"""One rule for the names of classes, categories, groups and splits of every source."""

import re
import unicodedata
from datetime import date
from decimal import Decimal
from numbers import Real

_WHOLE = re.compile(r"\+?(-?\d+)(?:\.0*)?", re.ASCII)
_FLAGS = ("true", "false")


def to_name(value: object) -> str:
    """Return the name that a cell or a setting holds; equal names are one class.

    Text is in Unicode's form NFC without blanks around it. ``1``, ``1.0``, ``+1``, ``"1"`` and
    ``"1.0"`` are one name, so are ``True`` and ``"TRUE"``. ``""`` is no name. A list or an object
    is a ValueError.
    """
    if isinstance(value, str):
        return _from_text(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, date):  # a datetime too
        return value.isoformat()
    if isinstance(value, Decimal) and value.is_finite():
        return _from_text(f"{value.normalize():f}")
    if isinstance(value, float) and value.is_integer():
        return _from_text(str(int(value)))  # 1e16 has no '.0'
    if isinstance(value, Real | Decimal):
        return _from_text(str(value))
    raise ValueError("is not a name")


def _from_text(text: str) -> str:
    if not text.isascii():
        # Halves of characters, which no file can hold, are written as '?'.
        text = unicodedata.normalize("NFC", text.encode(errors="replace").decode())
    text = text.strip()
    whole = _WHOLE.fullmatch(text)
    if whole:
        return "0" if whole[1] == "-0" else whole[1]
    return text.lower() if text.lower() in _FLAGS else text
