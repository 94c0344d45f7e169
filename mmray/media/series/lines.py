"""Series as lines of text: CSV, with or without a header. Axes: T steps, F columns."""

import csv
import io
import re
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv

from mmray.core.arrow import pc
from mmray.core.rejection import Rejection
from mmray.media.series.plan import SeriesPlan, Table, Values, check_steps, place_columns

MISSING = ("", "NA", "N/A", "NaN", "nan", "null", "NULL", "None")
"""Cells that hold nothing."""
DELIMITERS = "\t;,"
"""The first of them that the first line has parts the cells."""
_ZONE = re.compile(r"(Z|[+-]\d\d:?\d\d)$")
_MICROSECOND_S = 1e-6
_EXAMPLE = 20
"""Number of lines that are searched for a time."""


def read_csv(payload: bytes, plan: SeriesPlan) -> Table:
    """Read the columns that are asked for; a first line without a number or a date is a header."""
    content = payload.removeprefix(b"\xef\xbb\xbf").rstrip(b"\r\n") + b"\n"
    first = content.lstrip(b"\r\n").split(b"\n", 1)[0].decode(errors="replace").rstrip("\r")
    if not first.strip():
        raise Rejection("series_empty", "there is no line")
    delimiter = next((each for each in DELIMITERS if each in first), ",")
    cells = _cells(first, delimiter)
    has_header = not any(map(_is_value, cells)) and any(cells)
    if has_header or len(cells) > 1:
        content = content.lstrip(b"\r\n")  # else empty lines are steps that are missing
    check_steps(content.count(b"\n") - has_header, plan)
    channels, time = place_columns(plan, len(cells), cells if has_header else None)
    types = {f"f{position}": pa.float64() for position in channels}
    if time is not None:
        types[f"f{time}"] = _type_of_times(content, delimiter, time, has_header=has_header)
    table = _parsed(content, delimiter, types, has_header=has_header)
    values = np.stack([_numbers(table[f"f{position}"]) for position in channels], axis=1)  # (T, F)
    if time is None:
        return Table(values)
    scale = plan.time_scale_s if types[f"f{time}"] == pa.float64() else _MICROSECOND_S
    return Table(values, _numbers(table[f"f{time}"]) * scale)


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), [])]
    except csv.Error as error:
        raise Rejection("series_broken", str(error)) from None


def _is_value(cell: str) -> bool:
    for read in (float, datetime.fromisoformat):
        try:
            read(cell)
        except ValueError:
            continue
        return True
    return False


def _type_of_times(content: bytes, delimiter: str, time: int, *, has_header: bool) -> pa.DataType:
    """Return numbers, or timestamps with or without a zone, by the first time that is there."""
    lines = content[: 2**16].decode(errors="replace").splitlines()[has_header:_EXAMPLE]
    rows = (_cells(line, delimiter) for line in lines)
    times = (row[time] for row in rows if len(row) > time and row[time] not in MISSING)
    example = next(times, "0")
    try:
        float(example)
    except ValueError:
        return pa.timestamp("us", "UTC" if _ZONE.search(example) else None)
    return pa.float64()


def _parsed(
    content: bytes, delimiter: str, types: dict[str, pa.DataType], *, has_header: bool
) -> pa.Table:
    try:
        return pyarrow.csv.read_csv(
            io.BytesIO(content),
            read_options=pyarrow.csv.ReadOptions(
                use_threads=False,
                block_size=len(content) + 1,  # or a line could be cut
                skip_rows=int(has_header),
                autogenerate_column_names=True,
            ),
            parse_options=pyarrow.csv.ParseOptions(delimiter=delimiter, ignore_empty_lines=False),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=types, include_columns=list(types), null_values=list(MISSING)
            ),
        )
    except pa.ArrowInvalid as error:
        is_cell = "conversion error" in str(error)
        reason = "series_not_numeric" if is_cell else "series_broken"
        raise Rejection(reason, str(error)[:200]) from None
    except pa.ArrowKeyError:
        raise Rejection("series_broken", "the lines have fewer cells than the header") from None


def _numbers(column: pa.ChunkedArray) -> Values:
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.int64())
    numbers: Any = pc.fill_null(column.cast(pa.float64(), safe=False), float("nan"))
    return numbers.to_numpy()
