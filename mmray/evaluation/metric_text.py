"""Names and units of metrics for people."""

from mmray.config.task.kind import kind_of
from mmray.config.task.metric import Metric
from mmray.config.task.task import TaskConfig


def axis_title(metric: Metric, unit: str = "") -> str:
    """Return a metric's name with its unit, if it has one, and its direction."""
    of_unit = f" in {unit}" if unit and metric.has_unit else ""
    direction = "lower" if metric.direction == "min" else "higher"
    return f"{metric.title}{of_unit} ({direction} is better)"


def label_unit(task: TaskConfig) -> str:
    """Return the unit of a task's errors."""
    unit = kind_of(task).unit
    return f"the unit of '{task.column}'" if unit == "column" else unit


def difference_text(gain: float, metric: Metric) -> str:
    """Return a gain, above zero if better, in points of a share, or in the metric's unit."""
    is_share = metric.direction == "max" and metric.high == 1.0
    return f"{100 * gain:+.1f} points" if is_share else f"{gain:+.4g}"
