"""The report of a stage, also written into its completion marker."""

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Report:
    """The report of one stage, in plain JSON types."""

    stage: str
    fingerprint: str
    folder: str
    seconds: float
    skipped: bool = False
    counts: dict[str, Any] = field(default_factory=dict[str, Any])
    metrics: dict[str, Any] = field(default_factory=dict[str, Any])
    found: tuple[str, ...] = ()
    """Findings, as sentences for people."""
    next_step: str = ""
    """The next command."""

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON types."""
        return asdict(self) | {"found": list(self.found)}


def report_from_dict(document: dict[str, Any], *, skipped: bool) -> Report:
    """Read back a report that an earlier run wrote."""
    values: dict[str, Any] = document | {"found": tuple(document["found"]), "skipped": skipped}
    return Report(**values)
