"""The labels of a table's rows, one rule for all sources; an error names line and column."""

import json
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from numbers import Real
from typing import Any

import pyarrow as pa

from mmray.config.document import Config
from mmray.config.task.task import MultilabelConfig, RegressionConfig, TaskConfig
from mmray.core.label.name import to_name
from mmray.data.manifest.manifest import Label
from mmray.data.table.cell import is_missing, read_number
from mmray.data.table.table import Chunk
from mmray.errors import ManifestError

Labels = Sequence[Label | None]


def label_type(task: TaskConfig) -> pa.DataType:
    """Return what a column of the task's labels is to Arrow."""
    match task:
        case RegressionConfig():
            return pa.float64()
        case MultilabelConfig():
            return pa.list_(pa.string())
        case _:
            return pa.string()


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
    if isinstance(task, MultilabelConfig):
        return _read_several(value, task, location)
    if not isinstance(value, str | Real | Decimal | date):
        raise ManifestError(
            f"{task.column}: a label must be text or a number, not {value!r:.80}",
            where=location,
            hint="a sample has one label per task; 'kind: multilabel' takes several",
        )
    try:
        return read_number(value) if isinstance(task, RegressionConfig) else to_name(value)
    except ValueError as error:
        raise ManifestError(
            f"{task.column}: {value!r:.80} {error}",
            where=location,
            hint="write a missing label as null or leave it empty",
        ) from None


def _read_several(value: Any, task: MultilabelConfig, location: str) -> list[str]:  # noqa: ANN401
    """Return the classes of a cell, each once; an empty list says that there is none of them."""
    items = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(items, str):
        items = _split(items, task, location)
    if isinstance(items, Real | Decimal):
        items = [items]
    try:
        if not isinstance(items, list | tuple):
            raise ValueError
        return list(dict.fromkeys(_name_in_list(item) for item in items))
    except ValueError:
        raise ManifestError(
            f"{task.column}: labels must be a list of names, not {value!r:.80}",
            where=location,
            hint=f'write ["a", "b"] or a{task.separator}b; [] for none, null for not known',
        ) from None


def _name_in_list(item: object) -> str:
    name = "" if is_missing(item) else to_name(item)
    if not name:
        raise ValueError
    return name


def _split(text: str, task: MultilabelConfig, location: str) -> Any:  # noqa: ANN401 (JSON)
    if not text.lstrip().startswith("["):
        return [part for part in text.split(task.separator) if part.strip()]
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise ManifestError(
            f"{task.column}: {text!r:.80} is not a JSON list",
            where=location,
            hint=f'write ["a", "b"] or a{task.separator}b',
        ) from None
