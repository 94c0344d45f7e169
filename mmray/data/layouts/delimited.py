"""Tables of text: cells separated by commas, semicolons, tabs or bars."""

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, TextIO

from mmray.data.layouts.header import check_columns
from mmray.data.layouts.limits import MAX_CELL_CHARS, MAX_LINE_BYTES
from mmray.errors import ManifestError

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}


def read_delimited(file: str, stream: BinaryIO) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield (line, row). The delimiter is the one that splits the first line into most cells."""
    text = io.TextIOWrapper(stream, "utf-8-sig", newline="")
    try:
        delimiter = _delimiter_of(next(_lines(file, text), ""))
        text.seek(0)
        yield from _rows(file, text, delimiter)
    except UnicodeDecodeError:
        stream.seek(0)
        line = next(n for n, line in enumerate(stream, start=1) if not _is_utf8(line))
        raise ManifestError(
            "this line is not UTF-8", where=f"{file}:{line}", hint="save the file as UTF-8"
        ) from None


def _rows(file: str, text: TextIO, delimiter: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    csv.field_size_limit(MAX_CELL_CHARS)
    lines = csv.reader(_lines(file, text), strict=True, delimiter=delimiter)
    try:
        header = _without_empty_end(next(lines, []))
        check_columns(header, file)
        for cells in lines:
            if not cells:
                continue
            if len(cells) > len(header):
                cells = _without_empty_end(cells, len(header))
            if len(cells) != len(header):
                raise _ragged(f"{file}:{lines.line_num}", cells, header, delimiter)
            yield lines.line_num, dict(zip(header, cells, strict=True))
    except csv.Error as error:
        raise _broken(f"{file}:{lines.line_num}", error) from None


def _lines(file: str, text: TextIO) -> Iterator[str]:
    """Yield lines; one that does not fit into memory is an error, not half a row."""
    number = 0
    while line := text.readline(MAX_LINE_BYTES):
        number += 1
        if len(line) == MAX_LINE_BYTES and line[-1] not in "\r\n":
            raise ManifestError(
                f"this line has more than {MAX_LINE_BYTES:,} characters",
                where=f"{file}:{number}",
                hint="is this a table of text?",
            )
        yield line


def _delimiter_of(first: str) -> str:
    csv.field_size_limit(MAX_LINE_BYTES)  # for another delimiter the line is one cell
    counts = {mark: len(next(csv.reader([first], delimiter=mark), ())) for mark in DELIMITERS}
    return max(counts, key=lambda mark: counts[mark])  # the comma where there is one cell


def _without_empty_end(cells: list[str], keep: int = 0) -> list[str]:
    """Drop what delimiters at the end of a line make: cells without a name or a value."""
    size = len(cells)
    while size > keep and not cells[size - 1]:
        size -= 1
    return cells[:size]


def _ragged(where: str, cells: list[str], header: list[str], delimiter: str) -> ManifestError:
    names = DELIMITERS[delimiter]
    return ManifestError(
        f"this row has {len(cells)} cells, the header {len(header)}",
        where=where,
        hint=f"cells are separated by {names}, as in the first line; quote cells that contain it",
    )


def _broken(where: str, error: csv.Error) -> ManifestError:
    if "field larger" in str(error):
        return ManifestError(
            f"a cell of this row has more than {MAX_CELL_CHARS:,} characters",
            where=where,
            hint="keep long texts in separate files; or is a quote left open above?",
        )
    return ManifestError(f"broken CSV: {error}", where=where)


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True
