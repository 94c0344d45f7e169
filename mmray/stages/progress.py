"""How far an extraction is, said now and then."""

import logging
import time

logger = logging.getLogger(__name__)

PROGRESS_S = 2.0


class Progress:
    """Says how far an extraction is, now and then."""

    def __init__(self, name: str, total: int) -> None:
        self._name, self._total = name, total
        self._done = self._rejected = 0
        self._started = self._said = time.monotonic()

    def add(self, samples: int, rejected: int) -> None:
        """Count one unit."""
        self._done += samples
        self._rejected += rejected
        now = time.monotonic()
        if now - self._said < PROGRESS_S and self._done < self._total:
            return
        self._said = now
        rate = self._done / max(now - self._started, 1e-9)
        left_s = (self._total - self._done) / max(rate, 1e-9)
        logger.info(
            "%s: %d/%d samples, %.0f per s, %d rejected, %.0f s left",
            self._name, self._done, self._total, rate, self._rejected, left_s,
        )  # fmt: skip
