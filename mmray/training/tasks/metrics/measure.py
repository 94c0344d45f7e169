"""Functions of metrics, by the names that ``mmray/config/task/metric.py`` declares.

Those of torchmetrics are imported where they are called: all of the library comes with any part of
it, which takes longer than torch, and most processes measure nothing.
"""

from collections.abc import Callable, Mapping
from typing import TypeAlias, TypeVar

T = TypeVar("T")
MetricFunctions: TypeAlias = Mapping[str, Callable[[T], float | None]]
"""By name; None where these labels do not have the metric."""


def measure(functions: MetricFunctions[T], given: T) -> dict[str, float]:
    """Return the metrics that there are of labelled samples."""
    found = {name: function(given) for name, function in functions.items()}
    return {name: float(value) for name, value in found.items() if value is not None}
