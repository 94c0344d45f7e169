"""The conclusion about one task on a test split: figures and comparisons."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mmray.config.document import EvaluationConfig
from mmray.config.task.metric import Metric
from mmray.evaluation.baseline import Baseline
from mmray.evaluation.comparison import Difference, Figure, best_of, compare, summarise
from mmray.evaluation.evaluate import EvaluationResult


@dataclass(frozen=True, slots=True)
class Conclusion:
    """One task's figures by model, and the main model's difference from simpler ones."""

    task: str
    main: str
    """The model that the bundle holds, among ``figures``."""
    figures: dict[str, Figure]
    answer: str
    """Answer of the baseline, as a phrase."""
    baseline: Figure
    over_baseline: Difference
    best: str | None
    """The best modality trained alone."""
    over_best: Difference | None
    chance: dict[str, float]
    """All metrics of the baseline."""

    @property
    def metric(self) -> Metric:
        """The main metric of the task."""
        return self.figures[self.main].metric

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON types."""
        return {
            "metric": self.metric.name,
            "figures": {name: figure.to_dict() for name, figure in self.figures.items()},
            "baseline": self.baseline.to_dict()
            | {"answer": self.answer, "difference": self.over_baseline.to_dict()},
            "best_alone": None
            if self.over_best is None
            else {"name": self.best, "difference": self.over_best.to_dict()},
        }


def conclude(
    task: str,
    metric: Metric,
    runs: Mapping[str, Sequence[EvaluationResult]],
    baseline: Baseline,
    config: EvaluationConfig,
) -> Conclusion:
    """Compare the first model of ``runs``, by model and training, with the others."""
    main = next(iter(runs))
    figures = {name: summarise(each, metric, config) for name, each in runs.items()}
    best = best_of(figures, besides=main)
    constant = [baseline.result]
    return Conclusion(
        task=task,
        main=main,
        figures=figures,
        answer=baseline.answer,
        baseline=summarise(constant, metric, config),
        over_baseline=compare(runs[main], constant, metric, config),
        best=best,
        over_best=None if best is None else compare(runs[main], runs[best], metric, config),
        chance=baseline.result.metrics,
    )
