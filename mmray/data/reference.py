"""From a row of the manifest to the payload reference of one modality."""

import math
import os
from collections.abc import Mapping
from typing import Any

from mmray.config.modality import ModalityConfig

Reference = str | bytes


def is_missing(value: object) -> bool:
    """Say whether a cell stands for nothing: null, empty text or not a number."""
    return value is None or value == "" or (isinstance(value, float) and math.isnan(value))


def name_of(value: object) -> str:
    """Return a class, an id, a group or a number as text; 3.0 and 3 are one.

    Parquet and pandas turn whole numbers into floats in a column with gaps.
    """
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def reference_of(config: ModalityConfig, row: Mapping[str, Any]) -> Reference | None:
    """Return text, a path, a URI or bytes; None where the payload is missing.

    Anything else in the cell is a ValueError.
    """
    value = row.get(config.column)
    if is_missing(value):
        return None
    if isinstance(value, str | bytes):
        return value
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if config.is_inline and isinstance(value, int | float):
        return name_of(value)  # a text column of numbers, say postal codes
    raise ValueError(f"a payload must be text, a path or bytes, not {value!r:.80}")
