"""Labels of a table, checked against the tasks; an error tells line, column and what is near."""

import difflib
import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, assert_never

import pyarrow as pa

from mmray.config.document import Config
from mmray.config.task import (
    AlignmentConfig,
    BinaryConfig,
    ClassificationConfig,
    MultilabelConfig,
    OrdinalConfig,
    RegressionConfig,
    TaskConfig,
)
from mmray.core.flag import positive_of
from mmray.core.rank import ordered
from mmray.core.word import Split
from mmray.data.cell import is_missing, name_of, read_category
from mmray.data.manifest import Label
from mmray.data.table import Chunk
from mmray.errors import ManifestError

Labels = Sequence[Label | None]
ClassTask = ClassificationConfig | OrdinalConfig | BinaryConfig | MultilabelConfig | AlignmentConfig


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
            _read(row.get(task.column), task, place)
            for row, place in zip(chunk.rows, chunk.places, strict=True)
        ]
        for name, task in config.tasks.items()
        if task.column is not None
    }


def check_labels(
    labels: Mapping[str, Labels],
    splits: Sequence[Split],
    config: Config,
    *,
    uri: str,
    places: Iterable[str],
) -> None:
    """Refuse a task without labels, and classes that the document or no train sample shows.

    ``places`` are those of the rows in the manifest at ``uri``.
    """
    for name, found in labels.items():
        if all(label is None for label in found):
            raise ManifestError(
                f"no sample has a label for the task {name!r} "
                f"(column {config.tasks[name].column!r})",
                where=uri,
            )
    for name, task in config.tasks.items():
        if name in labels and not isinstance(task, RegressionConfig):
            _check_classes(name, task, labels[name], splits, uri=uri, places=places)


def _check_classes(
    name: str,
    task: ClassTask,
    labels: Labels,
    splits: Sequence[Split],
    *,
    uri: str,
    places: Iterable[str],
) -> None:
    seen = _train_classes(labels, splits)
    if isinstance(task, BinaryConfig):
        _check_two(name, task, seen, uri)
    if isinstance(task, OrdinalConfig) and task.classes is None and ordered(seen) is None:
        raise ManifestError(
            f"{task.column}: the order of {', '.join(sorted(seen))} is not known",
            where=uri,
            hint=f"list them, lowest first, in 'tasks.{name}.classes'",
        )
    listed = None if isinstance(task, BinaryConfig | AlignmentConfig) else task.classes
    source = f"'tasks.{name}.classes'" if listed else "the train split"
    known = listed or sorted(seen)
    for label, place in zip(labels, places, strict=True):
        for unknown in (one for one in _names(label) if one not in known):
            close = difflib.get_close_matches(unknown, known, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"{source} has: {', '.join(known)}"
            raise ManifestError(f"{task.column}: unknown class {unknown!r}", where=place, hint=hint)


def _read(value: Any, task: TaskConfig, place: str) -> Label | None:  # noqa: ANN401 (raw cell)
    if is_missing(value):
        return None
    if isinstance(task, MultilabelConfig):
        return _read_several(value, task, place)
    if not isinstance(value, str | int | float):
        raise ManifestError(
            f"{task.column}: a label must be text or a number, not {value!r:.80}",
            where=place,
            hint="a sample has one label per task; 'kind: multilabel' takes several",
        )
    match task:
        case ClassificationConfig() | OrdinalConfig() | AlignmentConfig():
            return name_of(value)
        case BinaryConfig():
            return read_category(value)  # true, True and TRUE are one
        case RegressionConfig():
            return _read_number(value, task, place)
        case _:
            assert_never(task)


def _read_number(value: str | float, task: RegressionConfig, place: str) -> float:
    try:
        number = float(value)
    except ValueError:
        raise ManifestError(
            f"{task.column}: {value!r} is not a number",
            where=place,
            hint="write a missing label as null or leave it empty",
        ) from None
    if not math.isfinite(number):
        raise ManifestError(f"{task.column}: {value!r} is not finite", where=place)
    return number


def _read_several(value: Any, task: MultilabelConfig, place: str) -> list[str]:  # noqa: ANN401
    """Return the classes of a cell, each once; an empty list says that there is none of them."""
    items = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(items, str):
        items = _split(items, task, place)
    if isinstance(items, int | float):
        items = [items]
    if not isinstance(items, list | tuple) or not all(
        isinstance(item, str | int | float) and not is_missing(item) for item in items
    ):
        raise ManifestError(
            f"{task.column}: labels must be a list of names, not {value!r:.80}",
            where=place,
            hint=f'write ["a", "b"] or a{task.separator}b; [] for none, null for not known',
        )
    return list(dict.fromkeys(name_of(item) for item in items))


def _split(text: str, task: MultilabelConfig, place: str) -> Any:  # noqa: ANN401 (JSON)
    if not text.lstrip().startswith("["):
        parts = (part.strip() for part in text.split(task.separator))
        return [part for part in parts if part]
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise ManifestError(
            f"{task.column}: {text!r:.80} is not a JSON list",
            where=place,
            hint=f'write ["a", "b"] or a{task.separator}b',
        ) from None


def _names(label: Label | None) -> Iterator[str]:
    if isinstance(label, list):
        yield from label
    elif label is not None:
        yield str(label)


def _train_classes(labels: Labels, splits: Sequence[Split]) -> Counter[str]:
    return Counter(
        name
        for label, split in zip(labels, splits, strict=True)
        if split == Split.TRAIN
        for name in _names(label)
    )


def _check_two(name: str, task: BinaryConfig, seen: Mapping[str, int], uri: str) -> None:
    told = ", ".join(f"{label!r} ({count} times)" for label, count in sorted(seen.items()))
    if len(seen) > 2:
        raise ManifestError(
            f"{task.column}: a binary task has two labels, the train split has {told}",
            where=uri,
            hint=f"use 'tasks.{name}.kind: classification', or mend the labels",
        )
    if len(seen) == 2 and positive_of(task.positive_name, seen) is None:
        given = task.positive_name
        named = f"{given!r} is none of them" if given else "which is positive?"
        raise ManifestError(
            f"{task.column}: the labels are {told}: {named}",
            where=uri,
            hint=f"name one of them in 'tasks.{name}.positive'",
        )
