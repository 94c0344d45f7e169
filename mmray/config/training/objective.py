"""Whether an objective names a metric that will exist."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mmray.config.base import HintedError
from mmray.config.task.kind import main_metric
from mmray.config.task.metric import COST_METRICS
from mmray.config.task.task import TaskConfig
from mmray.config.training.epoch_metric import metric_names
from mmray.config.training.search import SearchConfig
from mmray.config.training.train import ObjectiveConfig, TrainConfig
from mmray.core.text.nearest import nearest, shortened

OBJECTIVES = (("train", "keep_best"), ("train", "early_stop"), ("search", "objective"))
PREFIXES = ("val", "train")
"""The split that epochs are evaluated on: train where the val split is empty."""


def check_objectives(
    tasks: Mapping[str, TaskConfig],
    modalities: Sequence[str],
    train: TrainConfig,
    search: SearchConfig | None,
) -> None:
    """Refuse, as a ValueError, an objective that no epoch can report."""
    names = {
        name
        for prefix in PREFIXES
        for name in metric_names(tasks, modalities, train, evaluated_on=prefix)
    }
    costs = {metric.name for metric in COST_METRICS}
    for key, objective in objectives_of(train, search):
        allowed = names | costs if key.startswith("search.") else names
        if objective.metric not in allowed:
            close = nearest(objective.metric, sorted(allowed))
            hint = (
                f"did you mean {close!r}?"
                if close
                else "docs/reference/tasks.md lists them as 'val/<task>/<metric>'"
            )
            raise HintedError(
                f"{key}: there is no metric {shortened(objective.metric)!r}", hint=hint
            )
        try:
            _ = objective.direction
        except HintedError as error:
            raise HintedError(f"{key}: {error}", hint=error.hint) from None


def check_alone(
    tasks: Mapping[str, TaskConfig], modalities: Sequence[str], train: TrainConfig
) -> None:
    """Refuse, as a ValueError, an objective that a modality trained alone cannot report."""
    names = {
        name
        for prefix in PREFIXES
        for name in metric_names(tasks, modalities[:1], train, evaluated_on=prefix)
    }
    for key, objective in objectives_of(train, None):
        if objective.metric not in names:
            raise HintedError(
                f"{key}: a modality trained alone has no metric {objective.metric!r}",
                hint="choose another, or set 'evaluation.alone' to false",
            )


def with_own_directions(document: dict[str, Any]) -> dict[str, Any]:
    """Return a raw document whose objectives have the directions that custom tasks declare."""
    filled = dict(document)
    for section, key in OBJECTIVES:
        settings = filled.get(section)
        if not isinstance(settings, dict):
            continue
        objective, tasks = settings.get(key), document.get("tasks")
        if isinstance(objective, list):  # of a search
            filled[section] = settings | {key: [_with_direction(one, tasks) for one in objective]}
        elif objective is not None:
            filled[section] = settings | {key: _with_direction(objective, tasks)}
    return filled


def _with_direction(objective: Any, tasks: Any) -> Any:  # noqa: ANN401 (raw YAML)
    if not isinstance(objective, dict) or objective.get("mode") is not None:
        return objective
    direction = _own_direction(tasks, objective.get("metric"))
    return objective if direction is None else objective | {"mode": direction}


def _own_direction(tasks: Any, metric: Any) -> Any:  # noqa: ANN401 (raw YAML)
    """Return what the task that ``metric`` names declares of it, if anything."""
    _, *named = metric.split("/") if isinstance(metric, str) else ("",)
    task = tasks.get(named[0]) if isinstance(tasks, dict) and named else None
    metrics = task.get("metrics") if isinstance(task, dict) else None
    return metrics.get(named[-1]) if isinstance(metrics, dict) else None


def objectives_of(
    train: TrainConfig, search: SearchConfig | None
) -> Iterator[tuple[str, ObjectiveConfig]]:
    """Yield the objectives of a document, each with its key."""
    yield "train.keep_best.metric", train.keep_best
    if train.early_stop is not None:
        yield "train.early_stop.metric", train.early_stop
    objectives = () if search is None else search.objective
    for number, objective in enumerate(objectives):
        place = "" if len(objectives) == 1 else f".{number}"
        yield f"search.objective{place}.metric", objective


def default_objective(tasks: Mapping[str, TaskConfig]) -> ObjectiveConfig:
    """Return the main metric of the first task, which a search optimises by default."""
    name, task = next(iter(tasks.items()))
    metric = main_metric(task)
    return ObjectiveConfig(metric=f"val/{name}/{metric.name}", mode=metric.direction)
