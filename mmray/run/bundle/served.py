"""The input and output columns of a served model."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from mmray.config.document import Config
from mmray.config.task.kind import AnswerForm, kind_of
from mmray.config.task.task import TaskConfig
from mmray.run.bundle.example import example_record

CellType: TypeAlias = Literal["text", "number", "texts", "numbers_by_name", "vectors_by_name"]
PRESENT, REJECTED = "present", "rejected"


@dataclass(frozen=True, slots=True)
class Interface:
    """The columns of a served model, and a record to try it with."""

    inputs: tuple[str, ...]
    outputs: Mapping[str, CellType]
    example: Mapping[str, Any]


def interface_of(config: Config) -> Interface:
    """Return the interface of a document's model."""
    inputs = dict.fromkeys(c for m in config.modalities.values() for c in m.columns)
    return Interface(tuple(inputs), output_columns(config), example_record(config))


def output_columns(config: Config) -> dict[str, CellType]:
    """Return the columns of every prediction; those of a task are there whatever was usable."""
    columns: dict[str, CellType] = {}
    for name, task in config.tasks.items():
        columns |= _columns_of(name, task)
    columns[PRESENT], columns[REJECTED] = "texts", "text"
    return columns


def to_columns(row: Mapping[str, Any], columns: Sequence[str]) -> dict[str, Any]:
    """Return a row of ``Predictor.predict`` as cells of these columns; None where there is none."""
    cells: dict[str, Any] = dict.fromkeys(columns)
    for task, output in (row["predictions"] or {}).items():
        kept = ("label", "labels", "value", "embeddings")
        cells[task] = next(output[key] for key in kept if key in output)
        if "probabilities" in output:
            cells[f"{task}_probabilities"] = output["probabilities"]
        if "interval" in output:
            cells[f"{task}_low"], cells[f"{task}_high"] = output["interval"]
    rejected = json.dumps(row["rejected"], ensure_ascii=False)
    return cells | {PRESENT: row["present"], REJECTED: rejected}


def _columns_of(name: str, task: TaskConfig) -> dict[str, CellType]:
    kind = kind_of(task)
    cells: dict[AnswerForm, CellType] = {
        "class": "text",
        "classes": "texts",
        "number": "number",
        "embeddings": "vectors_by_name",
    }
    columns: dict[str, CellType] = {name: cells[kind.answer]}
    if kind.has_probabilities:
        columns[f"{name}_probabilities"] = "numbers_by_name"
    if task.quantiles:
        columns |= {f"{name}_low": "number", f"{name}_high": "number"}
    return columns
