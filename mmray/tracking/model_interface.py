"""What a logged model takes, gives and needs, in MLflow's words."""

import importlib.metadata
import importlib.util
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mlflow.types import ColSpec, DataType, Schema
from mlflow.types.schema import AnyType, Array, Map
from packaging.requirements import Requirement

if TYPE_CHECKING:
    from mmray.run.bundle.served import CellType

FORMAT_EXTRAS = ("dicom", "heic")
"""Extras of this package that some file formats need."""


def prediction_requirements() -> list[str]:
    """Return what this package needs to predict: its own requirements without Ray and MLflow.

    Requirements of optional formats are included if they are installed here: the model may have
    been trained on them.
    """
    try:
        needed = [Requirement(text) for text in importlib.metadata.requires("mmray") or []]
    except importlib.metadata.PackageNotFoundError:  # a job runs from a folder
        return []
    return [
        f"{each.name}{each.specifier}"
        for each in needed
        if each.name not in ("ray", "mlflow") and _is_needed(each)
    ]


def _is_needed(requirement: Requirement) -> bool:
    marker = requirement.marker
    if marker is None or marker.evaluate({"extra": ""}):
        return True
    is_of_format = any(marker.evaluate({"extra": extra}) for extra in FORMAT_EXTRAS)
    return is_of_format and importlib.util.find_spec(requirement.name) is not None


def record_schema(columns: Sequence[str]) -> Schema:
    """Return the schema of raw records: a cell may be text, a number, bytes or a list, or missing.

    MLflow would refuse a number in a text column, such as a CSV reader returns.
    """
    return Schema([ColSpec(AnyType(), name, required=False) for name in columns])


_TYPES: Mapping["CellType", Any] = {
    "text": DataType.string,
    "number": DataType.double,
    "texts": Array(DataType.string),
    "numbers_by_name": Map(DataType.double),
    "vectors_by_name": Map(Array(DataType.double)),
}


def prediction_schema(columns: Mapping[str, "CellType"]) -> Schema:
    """Return the schema of predictions; a cell is missing where no payload could be used."""
    return Schema([ColSpec(_TYPES[cell], name, required=False) for name, cell in columns.items()])
