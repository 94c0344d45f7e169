"""One axis of parallel coordinates: the height of each value, and its ticks."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mmray.search.view.text import setting_text

MOST_TICKS = 6
NUM_STEPS = 4
LONGEST = 14


@dataclass(frozen=True, slots=True)
class ParallelAxis:
    """Heights from 0 to 1."""

    title: str
    heights: tuple[float | None, ...]
    """Of each trial; None where it has no such value."""
    ticks: tuple[tuple[float, str], ...]
    """Height and label."""
    is_categorical: bool = False


def parallel_axis(
    title: str,
    values: Sequence[object],
    *,
    is_log: bool = False,
    label: Callable[[float], str] = setting_text,
) -> ParallelAxis:
    """Return the axis of a parameter or objective; None is the value of a trial without it."""
    known = [value for value in values if value is not None]
    if not known or not all(_is_number(value) for value in known):
        return _categorical(title, values)
    forward, backward = (math.log, math.exp) if is_log else (float, float)
    numbers = [None if value is None else float(str(value)) for value in values]
    distinct = sorted({number for number in numbers if number is not None})
    start, span = forward(distinct[0]), forward(distinct[-1]) - forward(distinct[0])

    def height(number: float) -> float:
        return (forward(number) - start) / span if span else 0.5

    shown = distinct
    if len(distinct) > MOST_TICKS:
        shown = [backward(start + span * step / NUM_STEPS) for step in range(NUM_STEPS + 1)]
    if all(isinstance(value, int) for value in known):
        shown = sorted({round(number) for number in shown})
    return ParallelAxis(
        title,
        tuple(None if number is None else height(number) for number in numbers),
        tuple((height(number), label(number)) for number in shown),
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _categorical(title: str, values: Sequence[object]) -> ParallelAxis:
    names = sorted({setting_text(value) for value in values if value is not None})
    height_of = {
        name: index / (len(names) - 1) if len(names) > 1 else 0.5
        for index, name in enumerate(names)
    }
    heights = (None if value is None else height_of[setting_text(value)] for value in values)
    ticks = ((height, _cut(name)) for name, height in height_of.items())
    return ParallelAxis(title, tuple(heights), tuple(ticks), is_categorical=True)


def _cut(name: str) -> str:
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"
