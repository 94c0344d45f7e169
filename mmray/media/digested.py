"""A decoded payload with a digest of its bytes."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Digested:
    """A decoded payload with a digest of its bytes."""

    digest: str
    value: Any

    @property
    def nbytes(self) -> int:
        """The memory of the decoded payload, if known."""
        return getattr(self.value, "nbytes", 0)
