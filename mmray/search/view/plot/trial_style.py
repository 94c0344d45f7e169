"""Colours and hover texts of trials, the same in every plot."""

from collections.abc import Sequence
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.ticker import StrMethodFormatter

from mmray.config.training.train import ObjectiveConfig
from mmray.evaluation.plot.figure import EMPHASIS, INK, MUTED
from mmray.search.record import TrialRecord, TrialState
from mmray.search.view.text import harmless, objective_name, setting_text, short_key, value_text

BEST = "#c8602a"
STATES: dict[TrialState, tuple[str, str]] = {
    "complete": (INK, "complete"),
    "stopped": (MUTED, "stopped early"),
    "running": (EMPHASIS, "running"),
    "failed": ("#a33", "failed"),
}
"""Colour and caption of each state."""
WIDTH = 10.6
"""Inches of every plot, which fit into a page of 1280 pixels."""
ORDERS = 30.0
"""Values that span more than this factor have a logarithmic axis."""


def hover_text(trial: TrialRecord, objectives: Sequence[ObjectiveConfig]) -> str:
    """Return what is shown of a trial on hover, in a few lines."""
    values = [
        f"{objective_name(objective)}: {value_text(value, objective)}"
        for value, objective in zip(trial.values, objectives, strict=False)
    ]
    settings = [f"  {short_key(k)}={setting_text(v)}" for k, v in trial.sample.items()]
    state = f"{STATES[trial.state][1]}, {trial.epochs} epochs"
    reason = [harmless(trial.reason)] if trial.reason else []
    return "\n".join(
        [f"trial {trial.number} ({state})", *values, *(settings or ["  the document"]), *reason]
    )


def spans_orders(values: Sequence[float]) -> bool:
    """Return whether values are read better on a logarithmic axis."""
    return bool(values) and min(values) > 0 and max(values) / min(values) > ORDERS


def set_scale(axes: Axes, values: Sequence[float], *, of: Literal["x", "y"]) -> None:
    """Make an axis logarithmic if its values span orders; group the digits of large numbers."""
    if spans_orders(values):
        (axes.set_xscale if of == "x" else axes.set_yscale)("log")
    elif max(values, default=0.0) >= 10_000:
        (axes.xaxis if of == "x" else axes.yaxis).set_major_formatter(
            StrMethodFormatter("{x:,.0f}")
        )
