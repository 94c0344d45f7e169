"""From a row of the manifest to the payload reference of one modality."""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import partial
from numbers import Real
from typing import Any

from mmray.config.modality.modality import ModalityConfig
from mmray.config.modality.table import TableConfig
from mmray.core.label.cell import is_missing, read_number
from mmray.core.label.name import to_name
from mmray.data.table.cell import (
    name_of,
    plain,
    read_date,
    read_sequence,
    trimmed,
)

Reference = str | bytes

UNREADABLE = "unreadable"
"""Key of the object that stands in a row for a cell that cannot be read."""


class FileReference(str):
    """A cell that names a file and is no text: what a folder, a tar or an Arrow file holds."""

    __slots__ = ()


def reference_of(config: ModalityConfig, row: Mapping[str, Any]) -> Reference | None:
    """Return text, a path, a URI or bytes; None where the payload is missing.

    Of a table it is the JSON object of the row's cells, equal for equal values whatever their type:
    cells that are missing are left out, one that cannot be read says so and is rejected later.
    Anything else that is no payload is a ValueError.
    """
    if isinstance(config, TableConfig):
        return _row_as_json(config, row)
    value = row.get(config.column)
    if config.holds_lists and isinstance(value, list | tuple):
        return _list_as_json(value)
    if isinstance(value, FileReference):
        return _file_of(config, value)
    reference = _text_of(value) if config.is_inline else _unwrapped(value)
    if is_missing(reference):
        return None
    if isinstance(reference, str | bytes):
        return reference
    if isinstance(reference, bytearray | memoryview):
        return bytes(reference)
    if isinstance(reference, os.PathLike):
        return os.fspath(reference)
    raise ValueError(f"a payload must be text, a path or bytes, not {value!r:.80}")


def _file_of(config: ModalityConfig, reference: FileReference) -> str:
    if config.is_inline:
        raise ValueError(
            f"the column {config.columns[0]!r} holds files and not text; to read them as text, say "
            "'payload: file'"
        )
    return str(reference)


def _list_as_json(value: Sequence[object]) -> bytes:
    try:
        return json.dumps(value, separators=(",", ":"), default=float).encode()
    except (TypeError, ValueError, RecursionError):
        raise ValueError(f"a list must hold numbers or lists of them, not {value!r:.80}") from None


def _text_of(value: object) -> object:
    """Return what an inline column holds that is text to a reader: a postal code, a date."""
    if is_missing(value):
        return None
    if isinstance(value, date):  # a datetime too
        return value.isoformat()
    return name_of(value) if isinstance(value, Real | Decimal) else value


def _unwrapped(value: object) -> object:
    """Return what a file column of Hugging Face data sets holds: ``{bytes, path}``."""
    if not isinstance(value, dict) or not value or not value.keys() <= {"bytes", "path"}:
        return value
    content = value.get("bytes")
    return value.get("path") if content is None else content


def _row_as_json(config: TableConfig, row: Mapping[str, Any]) -> str | None:
    cells: dict[str, Any] = {}
    told_missing = {plain(word) for word in config.missing}
    for column, read in _readers(config):
        value = trimmed(row.get(column))
        if is_missing(value) or (config.missing and plain(value) in told_missing):
            continue
        try:
            cell = read(value)
        except ValueError as error:
            cell = {UNREADABLE: f"{value!r:.80} {error}"}
        if cell is not None:
            cells[column] = cell
    if not cells:
        return None
    return json.dumps(
        cells, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":")
    )


def _readers(config: TableConfig) -> Iterator[tuple[str, Callable[[object], Any]]]:
    for number in config.numbers:
        yield number.column, read_number
    for category in config.categories:
        yield category.column, to_name
    for day in config.dates:
        yield day.column, partial(read_date, format=day.format)
    for sequence in config.sequences:
        yield sequence.column, read_sequence
