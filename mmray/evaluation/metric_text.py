"""What metrics are called in front of people, and which way they point."""

from mmray.config.training.train import SMALLER_IS_BETTER

TITLES = {
    "mae": "mean absolute error",
    "rmse": "root mean squared error",
    "r2": "R² (coefficient of determination)",
    "f1": "F1",
    "f1_micro": "F1, micro average",
    "f1_macro": "F1, macro average",
    "auroc": "area under the ROC curve",
    "recall_at_1": "recall@1",
    "recall_at_5": "recall@5",
}
UP_TO_ONE = (
    "accuracy", "precision", "recall", "f1", "auroc", "average_precision", "f1_micro", "f1_macro",
    "subset_accuracy", "mean_average_precision", "quadratic_weighted_kappa", "r2", "coverage",
    "recall_at_1", "recall_at_5",
)  # fmt: skip
"""Metrics that no model can bring above one."""
SHARES = ("accuracy",)
"""Main metrics that are the share of the samples that are right."""
IN_UNIT_OF_LABEL = ("mae", "rmse", "pinball", "interval_width")


def metric_title(metric: str) -> str:
    """Return the name of a metric as people write it."""
    return TITLES.get(metric, metric.replace("_", " "))


def is_better_smaller(metric: str) -> bool:
    """Return whether the metric is an error or a loss."""
    return metric in SMALLER_IS_BETTER


def axis_title(metric: str, unit: str = "") -> str:
    """Return a metric's name with its unit, if it has one, and its direction."""
    of_unit = f" in {unit}" if unit and metric in IN_UNIT_OF_LABEL else ""
    direction = "lower" if is_better_smaller(metric) else "higher"
    return f"{metric_title(metric)}{of_unit} ({direction} is better)"


def label_unit(kind: str, column: str | None) -> str:
    """Return what errors of a task are measured in."""
    if kind == "ordinal":
        return "ranks"
    return f"the unit of '{column}'" if kind == "regression" and column else ""


def difference_text(gain: float, metric: str) -> str:
    """Return a gain, above zero if better, in points of a share, or in the metric's unit."""
    return f"{gain:+.4g}" if is_better_smaller(metric) else f"{100 * gain:+.1f} points"
