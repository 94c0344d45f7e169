"""Objectives, their values and the settings of trials, as people read them."""

from collections.abc import Mapping
from typing import Any

from mmray.config.training.train import ObjectiveConfig
from mmray.core.text.printable import printable
from mmray.core.text.secret import masked
from mmray.search.sample import shown_sample, shown_value

NAMES = {"parameters": "parameters", "latency_ms": "latency in ms"}
"""Of the objectives that are no metrics of training."""
LONGEST = 60
"""Characters of a setting before it is cut."""


def objective_name(objective: ObjectiveConfig) -> str:
    """Return the name: ``digit accuracy (val)`` of ``val/digit/accuracy``."""
    if objective.metric in NAMES:
        return NAMES[objective.metric]
    split, *path = objective.metric.split("/")
    return printable(f"{' '.join(path).replace('_', ' ')} ({split})", keep="")


def objective_title(objective: ObjectiveConfig) -> str:
    """Return the name with the direction, for an axis."""
    direction = "lower" if objective.direction == "min" else "higher"
    return f"{objective_name(objective)}, {direction} is better"


def value_text(value: float, objective: ObjectiveConfig) -> str:
    """Return a value with as many digits as it is read with."""
    if objective.metric == "parameters":
        return f"{value:,.0f}"
    if objective.metric == "latency_ms" or abs(value) >= 100:
        return f"{value:.4g}"
    return f"{value:.4f}"


def gain_text(value: float, than: float, objective: ObjectiveConfig) -> str:
    """Return how much better or worse a value is, in points of a share, else in per cent."""
    name = objective.metric.rpartition("/")[2]
    if objective.direction == "max" and min(value, than) >= 0.0 and max(value, than) <= 1.0:
        return f"{100 * (value - than):+.1f} points"
    if name in NAMES and than:
        return f"{100 * (value / than - 1):+.0f} %"
    return f"{value - than:+.4g}"


def setting_text(value: object) -> str:
    """Return one value of a sample: a float with four digits, a long section cut."""
    text = harmless(shown_value(value))
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def harmless(text: str) -> str:
    """Return text on one line, without what controls a terminal, and without secrets."""
    return printable(masked(text), keep="")


def short_key(key: str) -> str:
    """Return a dotted key without its section: ``fusion`` of ``model.fusion``."""
    return printable(key.split(".", 1)[-1], keep="")


def sample_text(sample: Mapping[str, Any]) -> str:
    """Return the settings of a trial on one line; of no settings, ``the document``."""
    return harmless(shown_sample(sample))
