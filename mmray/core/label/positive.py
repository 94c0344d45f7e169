"""Which of two labels is the positive one."""

from collections.abc import Iterable

POSITIVE = ("1", "true", "yes")


def positive_of(named: str | None, labels: Iterable[str]) -> str | None:
    """Return the label that is positive: the named one, or ``1``, ``true``, ``yes``; else None."""
    there = set(labels)
    if named is not None:
        return named if named in there else None
    found = [label for label in sorted(there) if label.lower() in POSITIVE]
    return found[0] if len(found) == 1 else None
