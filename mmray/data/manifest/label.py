"""The labels of a table's rows, one rule for all sources; an error names line and column."""

import json
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from numbers import Real
from typing import Any

import pyarrow as pa

from mmray.config.document import Config
from mmray.config.task.kind import LabelForm, kind_of
from mmray.config.task.task import TaskConfig
from mmray.core.label.cell import Label, is_missing, read_number
from mmray.core.label.name import to_name
from mmray.data.table.table import Chunk
from mmray.errors import ManifestError

Labels = Sequence[Label | None]


def label_type(task: TaskConfig) -> pa.DataType:
    """Return what a column of the task's labels is to Arrow."""
    types: dict[LabelForm, pa.DataType] = {
        "class": pa.string(),
        "classes": pa.list_(pa.string()),
        "number": pa.float64(),
    }
    return types[kind_of(task).label]


def read_labels(chunk: Chunk, config: Config) -> dict[str, list[Label | None]]:
    """Return the labels of every task that has a column, row by row."""
    return {
        name: [
            _read(row.get(task.column), task, location)
            for row, location in zip(chunk.rows, chunk.locations, strict=True)
        ]
        for name, task in config.tasks.items()
        if task.column is not None
    }


def _read(value: Any, task: TaskConfig, location: str) -> Label | None:  # noqa: ANN401 (raw cell)
    if is_missing(value) or (isinstance(value, str) and not value.strip()):
        return None
    kind = kind_of(task)
    if kind.label == "classes" and kind.separator is not None:
        return _read_several(value, kind.separator(task), f"{task.column}", location)
    if not isinstance(value, str | Real | Decimal | date):
        raise ManifestError(
            f"{task.column}: a label must be text or a number, not {value!r:.80}",
            where=location,
            hint="a sample has one label per task; 'kind: multilabel' takes several",
        )
    try:
        return to_name(value) if kind.has_classes else read_number(value)
    except ValueError as error:
        raise ManifestError(
            f"{task.column}: {value!r:.80} {error}",
            where=location,
            hint="write a missing label as null or leave it empty",
        ) from None


def _read_several(value: Any, separator: str, column: str, location: str) -> list[str]:  # noqa: ANN401
    """Return the classes of a cell, each once; an empty list says that there is none of them."""
    items = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(items, str):
        items = _split(items, separator, column, location)
    if isinstance(items, Real | Decimal):
        items = [items]
    try:
        if not isinstance(items, list | tuple):
            raise ValueError
        return list(dict.fromkeys(_name_in_list(item) for item in items))
    except ValueError:
        raise ManifestError(
            f"{column}: labels must be a list of names, not {value!r:.80}",
            where=location,
            hint=f'write ["a", "b"] or a{separator}b; [] for none, null for not known',
        ) from None


def _name_in_list(item: object) -> str:
    name = "" if is_missing(item) else to_name(item)
    if not name:
        raise ValueError
    return name


def _split(text: str, separator: str, column: str, location: str) -> Any:  # noqa: ANN401 (JSON)
    if not text.lstrip().startswith("["):
        return [part for part in text.split(separator) if part.strip()]
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise ManifestError(
            f"{column}: {text!r:.80} is not a JSON list",
            where=location,
            hint=f'write ["a", "b"] or a{separator}b',
        ) from None
