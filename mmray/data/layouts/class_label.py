"""Names for the numbers of classes in data sets of Hugging Face, alone and in lists."""

from collections.abc import Mapping
from typing import Any

from mmray.errors import ManifestError

NO_CLASS = -1
"""The class number of a missing label."""


def with_names(
    row: Mapping[str, Any], names: Mapping[str, list[str]], location: str
) -> dict[str, Any]:
    """Return the row's columns of classes with names for numbers, and null for ``NO_CLASS``."""
    return {
        column: _named(row[column], column, names[column], location)
        for column in names.keys() & row.keys()
    }


def _named(value: Any, column: str, names: list[str], location: str) -> Any:  # noqa: ANN401
    if isinstance(value, list):
        named = [_named(item, column, names, location) for item in value]
        return [name for name in named if name is not None]
    if value is None or value == NO_CLASS:
        return None
    if not isinstance(value, int):
        raise ManifestError(f"{column}: {value!r:.80} is not a number of a class", where=location)
    if not 0 <= value < len(names):
        raise ManifestError(
            f"{column}: there is no class {value}, only {len(names)}", where=location
        )
    return names[value]
