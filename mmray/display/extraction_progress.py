"""Progress of an extraction: a live display on a terminal, else an occasional log line."""

import logging
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn
from rich.progress import Progress as Display
from rich.table import Column

from mmray.display.terminal import is_live, terminal

logger = logging.getLogger(__name__)

PROGRESS_S = 2.0
SHOWN_REASONS = 3
LIVE_REASONS = 1
"""Reasons in the live display, where a line must fit; the report has all of them."""
BAR = 20
"""Width of a bar."""


@dataclass(slots=True)
class ModalityProgress:
    """Progress of one modality."""

    total: int
    done: int = 0
    rejected: Counter[str] = field(default_factory=Counter[str])
    began_s: float = 0.0
    """Start time on the monotonic clock; 0 before it."""
    ended_s: float = 0.0

    @property
    def seconds(self) -> float:
        """Seconds since its start."""
        return self.ended_s - self.began_s

    @property
    def per_s(self) -> float:
        """Samples per second."""
        return self.done / max(self.seconds, 1e-9)

    def describe(self, reasons_shown: int = SHOWN_REASONS) -> str:
        """Return rate, rejections by reason (commonest first), and remaining time."""
        shown = [f"{reason} {n}" for reason, n in self.rejected.most_common(reasons_shown)]
        more = ", ..." if len(self.rejected) > reasons_shown else ""
        reasons = f" ({', '.join(shown)}{more})" if shown else ""
        left_s = (self.total - self.done) / max(self.per_s, 1e-9)
        rejected = f"{self.rejected.total()} rejected{reasons}"
        if not self.seconds:  # the first ones: nothing says yet how long they take
            return rejected
        return f"{self.per_s:.0f} per s, {rejected}, {left_s:.0f} s left"


class ExtractionProgress:
    """Counts finished samples per modality, and shows them until the block ends."""

    def __init__(self, totals: Mapping[str, int]) -> None:
        self.courses = {name: ModalityProgress(total) for name, total in totals.items()}
        self._said_s = time.monotonic()
        self._display: Display | None = None
        self._rows: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        """Show the display if standard error is a terminal and logs are wanted."""
        if is_live():
            columns = (
                TextColumn("{task.description}"), BarColumn(BAR),
                MofNCompleteColumn(table_column=Column(no_wrap=True)),
                TextColumn("{task.fields[state]}"),
            )  # fmt: skip
            self._display = Display(*columns, console=terminal(), redirect_stdout=False)
            self._rows = {
                name: self._display.add_task(name, total=course.total, state="")
                for name, course in self.courses.items()
            }
            self._display.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the last state on the terminal."""
        if self._display is not None:
            self._display.stop()

    def add(
        self, name: str, samples: int, rejected: Mapping[str, int], *, seconds: float = 0.0
    ) -> None:
        """Count samples that have just been finished, in ``seconds``."""
        course, now = self.courses[name], time.monotonic()
        course.began_s = min(course.began_s or now, now - seconds)
        course.done += samples
        course.rejected.update(rejected)
        course.ended_s = now
        if self._display is not None:
            state = course.describe(LIVE_REASONS)
            self._display.update(self._rows[name], completed=course.done, state=state)
        elif now - self._said_s >= PROGRESS_S or course.done == course.total:
            self._said_s = now
            logger.info("%s: %d/%d samples, %s", name, course.done, course.total, course.describe())
