"""How large a preset's space may be, and how ranges include what the document has already."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

FEW, MANY = 300, 3000
"""Training samples below which networks stay small, and from which larger ones are tried."""
BRIEF = 16
"""With fewer trials than this, only what matters most is searched."""

Section = dict[str, Any]
Ranges = Mapping[str, Any]
"""Key of a section -> its distribution as the document writes it, or its value."""


@dataclass(frozen=True, slots=True)
class Size:
    """What decides how much is searched."""

    samples: int
    """Number of training samples."""
    is_thorough: bool = False
    trials: int | None = None

    @property
    def is_small(self) -> bool:
        """Whether there are too few samples for large networks."""
        return self.samples < FEW

    @property
    def is_large(self) -> bool:
        """Whether there are enough samples for networks that need many."""
        return self.samples >= MANY

    @property
    def is_brief(self) -> bool:
        """Whether there are so few trials that every further parameter costs more than it finds."""
        return not self.is_thorough and self.trials is not None and self.trials < BRIEF

    def of(self, small: Any, medium: Any, large: Any) -> Any:  # noqa: ANN401
        """Return one of three by the number of samples."""
        return small if self.is_small else large if self.is_large else medium


def choice(values: Iterable[Any]) -> Section:
    """Return a choice among values."""
    return {"choice": list(values)}


def widened(distribution: Section, own: Any) -> Section:  # noqa: ANN401 (a value of the document)
    """Return a distribution that has the document's own value as well."""
    ((kind, values),) = distribution.items()
    if kind == "choice":
        return {kind: values if own in values else _sorted([*values, own])}
    return {kind: [min(values[0], own), max(values[1], own)]}


def _sorted(values: list[Any]) -> list[Any]:
    is_ordered = all(isinstance(value, int | float) for value in values)
    return sorted(values) if is_ordered else values


def branch(kind: str, ranges: Ranges, own: Section) -> Section:
    """Return the section of a kind with ranges; one of the document's kind keeps its settings.

    A range may also be a plain value, which the document's own setting replaces.
    """
    if own.get("kind") != kind:
        return {"kind": kind, **{key: settled(one) for key, one in ranges.items()}}
    searched = {key: one for key, one in ranges.items() if isinstance(one, dict)}
    return own | {key: settled(widened(one, own[key])) for key, one in searched.items()}


def settled(distribution: Any) -> Any:  # noqa: ANN401
    """Return the value of a choice that has only one; everything else as it is."""
    match distribution:
        case {"choice": [only]}:
            return only
        case _:
            return distribution
