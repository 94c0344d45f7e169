"""What a stage returns, and writes into its completion marker."""

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Report:
    """One stage's account of itself; everything in it is plain JSON."""

    stage: str
    fingerprint: str
    folder: str
    seconds: float
    skipped: bool = False
    counts: dict[str, Any] = field(default_factory=dict[str, Any])
    metrics: dict[str, Any] = field(default_factory=dict[str, Any])
    found: tuple[str, ...] = ()
    """Sentences for people: what was found."""
    next_step: str = ""
    """What to do next."""

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON types."""
        return asdict(self) | {"found": list(self.found)}


def report_from_dict(document: dict[str, Any], *, skipped: bool) -> Report:
    """Read back a report that an earlier run wrote."""
    values: dict[str, Any] = document | {"found": tuple(document["found"]), "skipped": skipped}
    return Report(**values)
