"""What was decoded, with a digest of the bytes that it was decoded from."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Digested:
    """A decoded payload that tells which bytes it comes from."""

    digest: str
    value: Any

    @property
    def nbytes(self) -> int:
        """The memory that the decoded payload takes, where it tells."""
        return getattr(self.value, "nbytes", 0)
