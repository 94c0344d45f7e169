"""The order of classes that are numbers."""

import math
from collections.abc import Iterable


def ordered(classes: Iterable[str]) -> tuple[str, ...] | None:
    """Return classes from the lowest to the highest; None where one is not a number."""
    try:
        numbers = {name: float(name) for name in classes}
    except ValueError:
        return None
    if not all(math.isfinite(number) for number in numbers.values()):
        return None
    return tuple(sorted(numbers, key=lambda name: (numbers[name], name)))
