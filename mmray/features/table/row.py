"""A row of a table: from the JSON object of its cells to typed cells."""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn, TypeVar

from mmray.core.rejection import Rejection

Cell = TypeVar("Cell")

LARGEST = 1e100
"""A number beyond it counts as this much: its square is still finite."""


@dataclass(frozen=True, slots=True)
class TableRow:
    """The cells of one row, in the order of the document's columns."""

    numbers: tuple[float, ...]
    """NaN where missing."""
    categories: tuple[str | None, ...]
    dates: tuple[float, ...]
    """Seconds since 1970 in UTC, NaN where missing."""
    sequences: tuple[tuple[str, ...] | None, ...]


def read_row(
    payload: bytes,
    *,
    numbers: tuple[str, ...],
    categories: tuple[str, ...],
    dates: tuple[str, ...],
    sequences: tuple[str, ...],
) -> TableRow:
    """Return the named cells of a row.

    Rejects ``table_malformed``, ``table_empty``, ``table_bad_number``, ``table_bad_category``,
    ``table_bad_date`` and ``table_bad_sequence``.
    """
    cells = _parse(payload)
    if not any(column in cells for column in (*numbers, *categories, *dates, *sequences)):
        raise Rejection("table_empty", "every cell is missing")
    return TableRow(
        numbers=tuple(_read(cells, c, _number, math.nan, "table_bad_number") for c in numbers),
        categories=tuple(_read(cells, c, _name, None, "table_bad_category") for c in categories),
        dates=tuple(_read(cells, c, _seconds, math.nan, "table_bad_date") for c in dates),
        sequences=tuple(_read(cells, c, _names, None, "table_bad_sequence") for c in sequences),
    )


def _parse(payload: bytes) -> dict[str, Any]:
    try:
        cells = json.loads(payload, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise Rejection("table_malformed", f"not JSON: {error}") from None
    if not isinstance(cells, dict):
        raise Rejection("table_malformed", "not a JSON object")
    return cells


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number")


def _read(
    cells: dict[str, Any], column: str, read: Callable[[Any], Cell], missing: Cell, reason: str
) -> Cell:
    cell = cells.get(column)
    if cell is None:
        return missing
    try:
        return read(cell)
    except (ValueError, TypeError, OverflowError):
        told = cell.get("unreadable") if isinstance(cell, dict) else None
        raise Rejection(reason, f"{column}: {told or f'{cell!r:.80} cannot be used'}") from None


def _number(cell: Any) -> float:  # noqa: ANN401 (anything that JSON can say)
    if isinstance(cell, bool) or not isinstance(cell, int | float):
        raise TypeError
    number = float(cell)
    if not math.isfinite(number):
        raise ValueError
    return max(-LARGEST, min(LARGEST, number))


def _name(cell: Any) -> str:  # noqa: ANN401
    if not isinstance(cell, str):
        raise TypeError
    return cell


def _seconds(cell: Any) -> float:  # noqa: ANN401
    moment = datetime.fromisoformat(cell)
    if moment.tzinfo is None:
        raise ValueError
    return moment.timestamp()


def _names(cell: Any) -> tuple[str, ...]:  # noqa: ANN401
    if not isinstance(cell, list):
        raise TypeError
    return tuple(_name(item) for item in cell)
