"""A label, a number or nothing in a cell or a record: one rule for manifests and for training."""

import math
from collections.abc import Sized
from decimal import Decimal
from numbers import Real
from typing import Any, TypeAlias

Label: TypeAlias = str | int | float | list[str]
"""One class, a number, or several classes."""
_FLAGS = {"true": 1.0, "false": 0.0}


def is_missing(value: object) -> bool:
    """Return whether a cell is missing: null, empty text or not a number."""
    if isinstance(value, Sized):
        return isinstance(value, str) and not value
    try:
        return value is None or bool(value != value)  # neither NaN nor NaT equals itself
    except TypeError:  # pandas.NA is neither equal nor unequal to anything
        return True


def read_number(value: object) -> float | None:
    """Return a finite number; None for one that is written ``nan``."""
    if isinstance(value, str):
        number = _FLAGS.get(value.lower())
        number = _parse_number(value) if number is None else number
    elif isinstance(value, Real | Decimal):
        number = _to_float(value)
    else:
        raise ValueError("is not a number")
    if math.isinf(number):
        raise ValueError("is not a finite number")
    return None if math.isnan(number) else number


def _parse_number(text: str) -> float:
    try:
        if "_" in text:  # Python would read 1_000
            raise ValueError
        return float(text)
    except ValueError:
        raise ValueError("is not a number") from None


def _to_float(value: Any) -> float:  # noqa: ANN401 (numbers of many libraries)
    try:
        return float(value)
    except OverflowError:
        return math.inf
