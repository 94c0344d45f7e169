"""Values that no key of a document may have."""

import re
from collections.abc import Iterator
from typing import Any

from mmray.config.reading.reader import MAX_DEPTH
from mmray.errors import ConfigError

MAX_INTEGER = 2**63
_SURROGATE = re.compile("[\ud800-\udfff]")


def check_values(document: dict[str, Any], *, where: str) -> None:
    """Refuse integers past 64 bits, null characters, and lone surrogates.

    The first such value is a ConfigError that names its key.
    """
    for key, problem in _problems(document, ""):
        raise ConfigError(
            f"{key.lstrip('.')[:200] or 'the document'}: {problem}",
            where=where,
            hint="'mmray schema' prints every key with its type and meaning",
        )


def _problems(value: Any, key: str, depth: int = 0) -> Iterator[tuple[str, str]]:  # noqa: ANN401
    if depth > MAX_DEPTH:
        yield key, f"more than {MAX_DEPTH} levels"
    elif isinstance(value, dict):
        yield from ((key, f"a key of {problem}") for problem in map(_problem_of, value) if problem)
        for name, part in value.items():
            yield from _problems(part, f"{key}.{name}", depth + 1)
    elif isinstance(value, list | tuple | set):
        for number, part in enumerate(value):
            yield from _problems(part, f"{key}.{number}", depth + 1)
    elif problem := _problem_of(value):
        yield key, problem


def _problem_of(value: object) -> str:
    if isinstance(value, int) and abs(value) >= MAX_INTEGER:
        return "more than 64 bits"
    if isinstance(value, str) and "\0" in value:
        return "a null character"
    if isinstance(value, str) and not value.isascii() and _SURROGATE.search(value):
        return "half of a character (a surrogate)"
    return ""
