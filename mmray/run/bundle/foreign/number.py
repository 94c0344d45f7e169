"""The integers of a document that others wrote."""

from collections.abc import Iterator
from typing import cast


def numbers_in(section: object, key: str = "") -> Iterator[tuple[str, int]]:
    """Yield the dotted key and the value of every integer in a JSON-like ``section``."""
    if isinstance(section, int) and not isinstance(section, bool):
        yield key, section
    elif isinstance(section, dict):
        for name, part in cast("dict[str, object]", section).items():
            yield from numbers_in(part, f"{key}.{name}" if key else name)
    elif isinstance(section, list):
        for part in cast("list[object]", section):
            yield from numbers_in(part, key)
