"""Progress of a search: a live view at a terminal, else a log line for each trial that ends."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Self

from rich.console import Group, RenderableType
from rich.live import Live
from rich.text import Text

from mmray.display.terminal import duration, is_live, terminal
from mmray.search.record import TrialRecord
from mmray.search.table import best_trial
from mmray.search.view.heading import SearchHeading
from mmray.search.view.text import gain_text, objective_name, sample_text, value_text

logger = logging.getLogger(__name__)
ROWS = 6
"""Most running trials shown at once."""
BAR, FULL, EMPTY = 24, "█", "░"
FEWEST_SECONDS = 1.0
"""Before this, the time left is not known."""


class SearchDisplay:
    """Shows the trials of a search until the block ends."""

    def __init__(
        self,
        heading: SearchHeading,
        earlier: Iterable[TrialRecord] = (),
        *,
        spent_s: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin with the trials and the seconds of earlier processes of the same search."""
        self._heading = heading
        self._trials = {trial.number: trial for trial in earlier}
        self._spent_s = spent_s
        self._clock = clock
        self._began_s = clock()
        self._first: tuple[float, float] | None = None
        """Time after the first epoch, and the trials done by then: before it, processes start."""
        self._live: Live | None = None

    def __enter__(self) -> Self:
        """Start the display."""
        if is_live():
            self._live = Live(
                get_renderable=self.render, console=terminal(), refresh_per_second=4,
                redirect_stdout=False,
            )  # fmt: skip
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the last state on the terminal."""
        if self._live is not None:
            self._live.stop()

    def hear(self, trial: TrialRecord) -> None:
        """Note that a trial has begun, has trained an epoch, or has ended."""
        others = [each for each in self._trials.values() if each.number != trial.number]
        best = best_trial(others, self._heading.objectives)
        self._trials[trial.number] = trial
        if self._first is None and trial.epochs:
            self._first = self._clock(), self._epochs_done()
        if self._live is None and trial.state in ("complete", "stopped"):
            logger.info("%s", self._ended(trial, best))

    def time_left_s(self) -> float | None:
        """Return the seconds until the trials or the minutes are used up; None if not known."""
        if self._is_over:
            return None
        now, limits = self._clock(), list[float]()
        if self._heading.trials is not None and self._first is not None:
            began_s, known = self._first
            done = self._epochs_done() - known
            if done > 0 and now - began_s >= FEWEST_SECONDS:
                left = self._heading.trials - self._epochs_done()
                limits.append((now - began_s) * left / done)
        if self._heading.minutes is not None:
            limits.append(60 * self._heading.minutes - self._spent_s - (now - self._began_s))
        return max(0.0, min(limits)) if limits else None

    @property
    def _is_over(self) -> bool:
        ended = [trial for trial in self._trials.values() if trial.state != "running"]
        return self._heading.trials is not None and len(ended) >= self._heading.trials

    def render(self) -> RenderableType:
        """Return the live view."""
        rows = [*self._progress(), *self._lines()]
        width = max(len(label) for label, _ in rows)
        lines = (f"{label:<{width}}  {text}" for label, text in rows)
        return Group(*(Text(line, overflow="ellipsis", no_wrap=True) for line in lines))

    def _progress(self) -> Iterator[tuple[str, str]]:
        ended = sum(trial.state != "running" for trial in self._trials.values())
        total, left = self._heading.trials, self.time_left_s()
        shown = f"{ended} ended"
        if total is not None:
            full = min(BAR, round(BAR * self._epochs_done() / total))
            shown = f"{FULL * full}{EMPTY * (BAR - full)}  {ended} of {total}"
        yield "trials", shown + (f", about {duration(left)} left" if left is not None else "")
        counts = self._counts()
        if counts:
            yield "", counts

    def _counts(self) -> str:
        counts = Counter(trial.state for trial in self._trials.values())
        names = {"running": "running", "complete": "complete", "stopped": "stopped early"}
        names |= {"failed": "failed"}
        return ", ".join(
            f"{counts[state]} {name}" for state, name in names.items() if counts[state]
        )

    def _lines(self) -> Iterator[tuple[str, str]]:
        trials, objectives = list(self._trials.values()), self._heading.objectives
        best = best_trial(trials, objectives)
        if best is not None:
            own = next((t for t in trials if not t.sample and t.values), best)
            gain = gain_text(best.values[0], own.values[0], objectives[0])
            over = f", {gain} over the document" if own is not best else ""
            yield "best", f"trial {best.number}: {self._values(best)}{over}"
            yield "", sample_text(best.sample)
        running = [trial for trial in trials if trial.state == "running"]
        for trial in running[:ROWS]:
            reached = f", {self._values(trial)}" if trial.values else ""
            epoch = f"epoch {trial.epochs}/{self._heading.epochs}"
            yield f"trial {trial.number}", f"{epoch}{reached}; {sample_text(trial.sample)}"
        if len(running) > ROWS:
            yield "", f"and {len(running) - ROWS} more"

    def _ended(self, trial: TrialRecord, best: TrialRecord | None) -> str:
        """Return the line for a trial that was trained, or stopped."""
        ended = sum(each.state != "running" for each in self._trials.values())
        of = f" of {self._heading.trials}" if self._heading.trials else ""
        first = self._heading.objectives[0]
        is_best = bool(trial.values) and (
            best is None or first.is_better(trial.values[0], best.values[0])
        )
        parts = [
            f"{self._values(trial)}{' (best so far)' if is_best else ''}" if trial.values else "",
            f"{trial.epochs} epochs in {duration(trial.seconds)}",
            f"stopped: {trial.reason}" if trial.state == "stopped" else "",
        ]
        shown = ", ".join(part for part in parts if part)
        return f"trial {trial.number} ({ended}{of} done): {shown}; {sample_text(trial.sample)}"

    def _values(self, trial: TrialRecord) -> str:
        return ", ".join(
            f"{objective_name(objective)} {value_text(value, objective)}"
            for value, objective in zip(trial.values, self._heading.objectives, strict=False)
        )

    def _epochs_done(self) -> float:
        """Return the number of trials done, of which a running one counts by its epochs."""
        return sum(
            1.0 if trial.state != "running" else min(1.0, trial.epochs / self._heading.epochs)
            for trial in self._trials.values()
        )
