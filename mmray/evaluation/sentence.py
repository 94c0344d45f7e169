"""The findings of an evaluation as sentences; ``warning:`` marks those that ask for action."""

from collections.abc import Mapping, Sequence

from mmray.config.task.metric import METRICS, Metric
from mmray.evaluation.ablation import subset_name
from mmray.evaluation.baseline import CHANCE
from mmray.evaluation.comparison import Difference, Figure
from mmray.evaluation.conclusion import Conclusion
from mmray.evaluation.metric_text import difference_text

WARNING = "warning: "


def figure_sentence(found: Conclusion) -> str:
    """Return each model's figure, and the number of samples and trainings."""
    main = found.figures[found.main]
    shown = ", ".join(f"{name} {figure_text(figure)}" for name, figure in found.figures.items())
    return (
        f"{found.task}: {found.metric.title} on test ({counts_text(main)}): {shown}; "
        f"{found.answer} {found.baseline.value:.4f}"
    )


def figure_text(figure: Figure) -> str:
    """Return a figure with its interval."""
    low, high = figure.interval
    return f"{figure.value:.4f} [{low:.4f}, {high:.4f}]"


def counts_text(figure: Figure) -> str:
    """Return the number of samples and trainings of a figure."""
    samples = f"{figure.samples} sample{'s' * (figure.samples != 1)}"
    trained = f", mean of {figure.trainings} trainings" if figure.trainings > 1 else ""
    return samples + trained


def baseline_sentence(found: Conclusion) -> str | None:
    """Return that a model is not better than a constant answer; None if it is."""
    verdict = found.over_baseline.verdict
    if verdict == "better":
        return None
    is_below = found.over_baseline.value < 0.0
    unclear = "below" if is_below else "not shown to be better than"
    what = "worse than" if verdict == "worse" else unclear
    than = found.answer if found.answer == CHANCE else f"the constant answer, {found.answer}"
    return (
        f"{WARNING}{found.task}: {found.main} is {what} {than}: "
        f"{found.figures[found.main].value:.4f} against {found.baseline.value:.4f} "
        f"({_interval_text(found.over_baseline, found.metric)})"
    )


def comparison_sentence(
    found: Conclusion, inside: Mapping[str, float], advice: str = ""
) -> str | None:
    """Return whether the fusion is better than its best modality; None if none was trained.

    Args:
        found: of one task.
        inside: the main metric of each modality alone in the joint model, to say which one lags.
        advice: what to try where the fusion is worse.
    """
    if found.best is None or found.over_best is None:
        return None
    over = counts_text(found.figures[found.main])
    shown = (
        f"{found.best} alone: {difference_text(found.over_best.value, found.metric)} "
        f"({_interval_text(found.over_best, found.metric)}; {over})"
    )
    if found.over_best.verdict == "better":
        return f"{found.task}: {found.main} is better than the best modality, {shown}"
    if found.over_best.verdict == "not shown":
        return f"{found.task}: {found.main} is not shown to be better than {shown}"
    return (
        f"{WARNING}{found.task}: {found.main} is worse than {shown}"
        f"{_lag_text(found, found.over_best, inside)}{'; ' + advice if advice else ''}"
    )


def chance_sentence(found: Conclusion, metrics: Mapping[str, float]) -> str | None:
    """Return how retrieval at 1 and 5 compares with chance; None for other tasks."""
    recalls = [each for each in METRICS if each.of_pairs and each.name in found.chance]
    if not recalls or not found.metric.of_pairs:
        return None
    shown = ", ".join(
        f"{each.title} {metrics[each.name]:.4f} (chance {found.chance[each.name]:.4f})"
        for each in recalls
    )
    return f"{found.task}: {shown}"


def ablation_sentence(
    task: str, metric: Metric, subsets: Mapping[str, float], modalities: Sequence[str]
) -> str:
    """Return the cost of dropping each modality."""
    parts = [
        f"{dropped} {subsets[subset_name(tuple(m for m in modalities if m != dropped))]:.4f}"
        for dropped in modalities
    ]
    return f"{task}: {metric.title} on test of the fusion without {', '.join(parts)}"


def _interval_text(difference: Difference, metric: Metric) -> str:
    low, high = (difference_text(bound, metric) for bound in difference.interval)
    return f"interval {low.removesuffix(' points')} to {high}"


def _lag_text(found: Conclusion, difference: Difference, inside: Mapping[str, float]) -> str:
    """Name the modality that lost most in the joint model, if it exceeds noise."""
    sign = found.metric.sign
    lost = {
        name: sign * (found.figures[name].value - value)
        for name, value in inside.items()
        if name in found.figures
    }
    name = max(lost, key=lambda each: lost[each], default="")
    noise = (difference.interval[1] - difference.interval[0]) / 2
    if not name or lost[name] <= noise:
        return ""
    return (
        f"; {name} lags: {inside[name]:.4f} alone in the joint model, "
        f"{found.figures[name].value:.4f} trained alone"
    )
