"""Tables for people and spreadsheets: CSV, which MLflow shows as a table too."""

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mmray.core.file.atomic import replacing
from mmray.core.text.printable import printable

FORMULA = tuple("=+-@")


def write_csv(path: Path, rows: Iterable[Mapping[str, Any]], columns: Iterable[str]) -> None:
    """Write one line per row, an empty cell where it has no such column or None."""
    names = list(columns)
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(names)
        writer.writerows([_cell(row.get(name)) for name in names] for row in rows)


def _cell(value: Any) -> Any:  # noqa: ANN401 (a number, a text, or nothing)
    if isinstance(value, float):
        return f"{value:.6g}"
    return _text(printable(value, keep="")) if isinstance(value, str) else value


def _text(text: str) -> str:
    """Return text that no spreadsheet reads as a formula: an apostrophe is put before it."""
    is_number = text.lstrip("+-").replace(".", "", 1).isdecimal()
    return f"'{text}" if text[:1] in FORMULA and not is_number else text
