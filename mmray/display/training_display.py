"""Progress of trainings: a live line each at a terminal, else occasional log lines."""

import logging
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from rich.console import Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from mmray.config.document import Config
from mmray.config.task.kind import main_metric
from mmray.config.training.train import ObjectiveConfig
from mmray.display.terminal import duration, is_live, terminal

logger = logging.getLogger(__name__)
START = "starting the workers (usually 10 to 40 s)"
LOG_S = 30.0
"""Seconds between two log lines of a running training."""
BLOCKS = "▁▂▃▄▅▆▇█"
SPARKS = 16
"""Most epochs in a curve; the last ones are shown."""
ROWS = 12
"""Most trainings shown at once; the last ones are shown."""


@dataclass(slots=True)
class TrainingLine:
    """Progress of one training, by its main metric."""

    name: str
    epochs: int
    objective: ObjectiveConfig
    epoch: int = 0
    """The last reported one; a resumed training begins after 1."""
    values: dict[int, float] = field(default_factory=dict[int, float])
    """By epoch, where the metric is known."""
    seconds: float = 0.0
    heard: int = 0

    def hear(self, record: dict[str, Any]) -> None:
        """Count one more epoch."""
        self.epoch = record["epoch"]
        self.heard += 1
        self.seconds += record["seconds"]
        value = record["metrics"].get(self.objective.metric, math.nan)
        if math.isfinite(value):
            self.values[self.epoch] = value

    @property
    def is_over(self) -> bool:
        """Whether the last epoch is done."""
        return self.epoch >= self.epochs

    def best(self) -> int:
        """Return the best epoch so far; of equal ones, the first."""
        sign = 1 if self.objective.direction == "min" else -1
        return min(self.values, key=lambda epoch: (sign * self.values[epoch], epoch))

    def describe(self) -> str:
        """Return the line of this training."""
        left_s = (self.epochs - self.epoch) * self.seconds / max(1, self.heard)
        end = f"took {duration(self.seconds)}" if self.is_over else f"{duration(left_s)} left"
        if not self.values:
            return f"epoch {self.epoch}/{self.epochs}  {end}"
        best, shown = self.best(), self.objective.metric.removeprefix("val/").replace("/", " ")
        values = list(self.values.values())
        return (
            f"epoch {self.epoch}/{self.epochs}  {shown} {values[-1]:.3f} {spark(values)}  "
            f"best {self.values[best]:.3f} (epoch {best})  {end}"
        )


class TrainingDisplay:
    """Shows trainings until the block ends."""

    def __init__(self, names: Sequence[str], config: Config) -> None:
        shown = _shown_metric(config)
        self._courses = {name: TrainingLine(name, config.train.epochs, shown) for name in names}
        self._waiting: Spinner | None = Spinner("dots", text=START)
        self._live: Live | None = None
        self._logged_s: dict[str, float] = {}

    def __enter__(self) -> Self:
        """Start the display."""
        if is_live():
            self._live = Live(
                get_renderable=self._render, console=terminal(), refresh_per_second=4,
                redirect_stdout=False,
            )  # fmt: skip
            self._live.start()
        else:
            logger.info(START)
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the last state on the terminal."""
        self._waiting = None
        if self._live is not None:
            self._live.stop()

    def hear(self, name: str, record: dict[str, Any], line: str) -> None:
        """Count an epoch; without a terminal, log ``line`` unless one was logged recently."""
        course, now = self._courses[name], time.monotonic()
        course.hear(record)
        is_due = now - self._logged_s.get(name, -LOG_S) >= LOG_S
        if self._live is None and (is_due or course.is_over):
            self._logged_s[name] = now
            logger.info("%s: %s", name, line)

    def _render(self) -> RenderableType:
        begun = [course for course in self._courses.values() if course.epoch]
        if not begun:
            return self._waiting or Text()
        width = max(len(course.name) for course in begun)
        lines = [f"{each.name:<{width}}  {each.describe()}" for each in begun[-ROWS:]]
        if len(self._courses) > 1 and self._waiting is not None:  # while it runs
            lines.append(f"training {len(begun)} of {len(self._courses)}")
        return Group(*(Text(line, overflow="ellipsis", no_wrap=True) for line in lines))


def spark(values: Sequence[float]) -> str:
    """Return values as small bars."""
    shown = values[-SPARKS:]
    low, high = min(shown), max(shown)
    height = (high - low) or 1.0
    return "".join(BLOCKS[int((each - low) / height * (len(BLOCKS) - 1))] for each in shown)


def _shown_metric(config: Config) -> ObjectiveConfig:
    """Return the main metric of the first task."""
    name, task = next(iter(config.tasks.items()))
    metric = main_metric(task)
    return ObjectiveConfig(metric=f"val/{name}/{metric.name}", mode=metric.direction)
