"""Cells of a table in one form, whatever wrote them: CSV, JSON, Parquet or a program.

A cell that cannot be read is a ValueError with words for people.
"""

import json
import re
from collections.abc import Sized
from datetime import UTC, date, datetime, timedelta
from typing import Any

from mmray.core.label.cell import is_missing
from mmray.core.label.name import to_name

_WHOLE = re.compile(r"([-+]?\d+)\.0+")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS = {"unix_s": 1.0, "unix_ms": 1e-3}


def name_of(value: object) -> str:
    """Return an id or a number as text; 3.0 and 3 are equal.

    Parquet and pandas turn integers into floats in a column with gaps.
    """
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def trimmed(value: object) -> object:
    """Return text without blanks around it, and without halves of characters; the rest as it is."""
    return value.encode(errors="replace").decode().strip() if isinstance(value, str) else value


def read_date(value: object, format: str) -> str:
    """Return a date or time in UTC as ISO 8601 with milliseconds."""
    try:
        moment = _to_moment(value, format)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        told = "ISO 8601, such as 2024-05-31" if format == "iso" else repr(format)
        raise ValueError(f"is not a date in the format {told}") from None
    return moment.isoformat(timespec="milliseconds")


def read_sequence(value: object) -> list[str]:
    """Return ids in their order; in text they stand as a JSON list or as ``a|b|c``."""
    if isinstance(value, str):
        items = _parse_list(value) if value.startswith("[") else value.split("|")
    elif isinstance(value, list | tuple):
        items = list(value)
    elif hasattr(value, "tolist"):  # a numpy array
        items = _as_list(value)
    else:
        items = [value]
    try:
        items = [trimmed(item) for item in items]
        return [to_name(item) for item in items if not is_missing(item)]
    except ValueError:
        raise ValueError("is not a list of ids") from None


def plain(value: object) -> str:
    """Return text; an integer without its ``.0``, which CSV keeps from a column with gaps."""
    name = name_of(value)
    whole = _WHOLE.fullmatch(name)
    return whole[1] if whole else name


def _to_moment(value: object, format: str) -> datetime:
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)
    if isinstance(value, Sized) and not isinstance(value, str):
        raise ValueError
    text = plain(value)
    if format in _UNITS:
        return _EPOCH + timedelta(seconds=float(text) * _UNITS[format])
    if format == "iso":
        return datetime.fromisoformat(text)
    return datetime.strptime(text, format)


def _parse_list(text: str) -> list[Any]:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("is not a list of ids: write a JSON list, or a|b|c") from None


def _as_list(value: Any) -> list[Any]:  # noqa: ANN401
    listed = value.tolist()
    return listed if isinstance(listed, list) else [listed]
