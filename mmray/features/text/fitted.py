"""Vocabularies as they were fitted, or as somebody else's bundle has them."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import FiniteFloat, TypeAdapter, ValidationError

from mmray.core.file.atomic import read_json
from mmray.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Weighted:
    """The words of a TF-IDF, and the weight of every column."""

    words: list[str]
    idf: list[FiniteFloat]


def read_words(path: Path, size: int) -> list[str]:
    """Read a vocabulary of at most ``size`` words; anything else is a ConfigError."""
    try:
        words = TypeAdapter(list[str]).validate_python(read_json(path))
    except (ValidationError, ValueError) as error:
        raise _damaged(path, str(error)) from None
    if len(words) > size:
        raise _damaged(path, f"{len(words)} words for {size} columns")
    return words


def read_weighted(path: Path, size: int) -> Weighted:
    """Read words, and the weights of ``size`` columns; anything else is a ConfigError."""
    try:
        found = TypeAdapter(Weighted).validate_python(read_json(path))
    except (ValidationError, ValueError) as error:
        raise _damaged(path, str(error)) from None
    words, weights = len(found.words), len(found.idf)
    if words > size or weights != size:
        raise _damaged(path, f"{words} words and {weights} weights for {size} columns")
    return found


def _damaged(path: Path, problem: str) -> ConfigError:
    return ConfigError(
        f"the fitted state of the text cannot be used: {problem:.300}",
        where=str(path),
        hint="it is damaged, or of another document: extract again, or copy the bundle again",
    )
