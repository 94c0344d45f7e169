"""Greedy soup of the best epochs (Wortsman 2022, arXiv 2203.05482, recipe 1)."""

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from torch import Tensor, nn

from mmray.training.loop.checkpoint import Weights, evaluated_weights
from mmray.training.loop.plan import Soup, TrainPlan
from mmray.training.loop.progress import TrainingProgress, objective_value

logger = logging.getLogger(__name__)


def greedy_soup(
    model: nn.Module,
    folder: Path,
    progress: TrainingProgress,
    plan: TrainPlan,
    evaluate: Callable[[], Mapping[str, float]],
) -> Soup:
    """Leave ``model`` with the mean of those of the best checkpoints that improve it together.

    From the best on, each is added to the mean where validation is then at least as good;
    ``evaluate`` says how good the model is, the same on every worker.
    """
    objective, evaluated_on = plan.config.keep_best, plan.evaluated_on
    first, *others = progress.ranked(plan.config, evaluated_on)[: plan.config.soup]
    kept, parts = [first], [evaluated_weights(folder, first + 1)]
    metrics = dict(progress.records[first].metrics)
    for epoch in others:
        tried = [*parts, evaluated_weights(folder, epoch + 1)]
        model.load_state_dict(mean_weights(tried))
        found = evaluate()
        new, old = (objective_value(objective, m, evaluated_on) for m in (found, metrics))
        if not objective.is_better(old, new):
            kept, parts, metrics = [*kept, epoch], tried, {**metrics, **found}
    model.load_state_dict(mean_weights(parts))
    logger.info("the soup averages epochs %s", ", ".join(str(epoch + 1) for epoch in kept))
    return Soup(tuple(kept), metrics)


def mean_weights(parts: Sequence[Weights]) -> Weights:
    """Return the mean of each weight; counters are those of the first."""
    return {name: _mean(value, [part[name] for part in parts]) for name, value in parts[0].items()}


def _mean(first: Tensor, values: Sequence[Tensor]) -> Tensor:
    if not first.is_floating_point():
        return first
    total = first.double()
    for value in values[1:]:
        total = total + value.double()
    return (total / len(values)).to(first.dtype)
