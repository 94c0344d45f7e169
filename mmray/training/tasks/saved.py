"""Reading what a task's ``to_dict`` wrote: names and finite numbers only."""

from collections.abc import Mapping
from typing import Any, cast

MAX_NUMBER = 1e38
"""Largest number of a task; float32 can hold it."""


def saved_names(document: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """Return names; a ValueError where there is anything else."""
    names = document[key]
    if not isinstance(names, list) or not all(isinstance(n, str) for n in cast("list[Any]", names)):
        raise ValueError(f"{key!r} of a task is not a list of names")
    return tuple(cast("list[str]", names))


def saved_numbers(document: Mapping[str, Any], key: str) -> tuple[float, ...]:
    """Return finite numbers; a ValueError where there is anything else."""
    numbers = document[key]
    if not isinstance(numbers, list):
        raise ValueError(f"{key!r} of a task is not a list of numbers")
    return tuple(_number(number, key) for number in cast("list[Any]", numbers))


def saved_number(document: Mapping[str, Any], key: str) -> float:
    """Return a finite number; a ValueError where there is anything else."""
    return _number(document[key], key)


def _number(number: object, key: str) -> float:
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise ValueError(f"{key!r} of a task holds {str(number)[:50]!r}, which is not a number")
    if not abs(number) <= MAX_NUMBER:  # nor of NaN
        raise ValueError(f"{key!r} of a task holds {number}, which float32 cannot represent")
    return float(number)
