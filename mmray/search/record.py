"""What is known of a trial."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Sample = Mapping[str, Any]
"""Name of a parameter -> its value; empty for the document as it is."""
TrialState = Literal["running", "complete", "stopped", "failed"]


@dataclass(frozen=True, slots=True)
class TrialRecord:
    """One trial of a search, as far as it is."""

    number: int
    """From 1, in the order in which trials were made; a search that is resumed keeps it."""
    sample: Sample
    state: TrialState
    values: tuple[float, ...]
    """Of the objectives in their order, from the best epoch; empty before the first one."""
    epochs: int
    seconds: float
    """Duration of its epochs."""
    reason: str
    """Why it was stopped or failed; empty otherwise."""
    started: float
    """Seconds since 1970."""
    folder: str
    """Holds its epochs (``run.epoch_file``), and the model where it is complete."""
    parameters: int | None
    latency_ms: float | None
