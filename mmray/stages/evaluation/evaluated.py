"""The evaluation of all models on the test split: figures, comparisons, sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mmray.config.document import Config
from mmray.config.task.kind import main_metric
from mmray.core.text.nearest import listed
from mmray.evaluation.ablation import tabulate
from mmray.evaluation.comparison import summarise
from mmray.evaluation.conclusion import Conclusion, conclude
from mmray.evaluation.lagging import advice_for
from mmray.evaluation.sentence import (
    ablation_sentence,
    baseline_sentence,
    chance_sentence,
    comparison_sentence,
    figure_sentence,
)
from mmray.stages.evaluation.predictions import EvaluatedModel
from mmray.stages.training.variant import main_model


@dataclass(frozen=True, slots=True)
class Evaluated:
    """All models, evaluated on the same samples."""

    models: dict[str, list[EvaluatedModel]]
    """By model, the fusion first, and by seed."""
    found: dict[str, Conclusion]
    """By task."""
    ablation: dict[str, dict[str, Any]]
    """By task, the fusion with every subset of its modalities."""

    @property
    def main(self) -> list[EvaluatedModel]:
        """The trainings of the fusion; the bundle holds the first."""
        return next(iter(self.models.values()))

    def metrics(self) -> dict[str, dict[str, Any]]:
        """Return, by model and task, the mean metrics, each seed's, and what they are from."""
        return {
            model: {
                task: mean_metrics([each.metrics[task] for each in group])
                | _origin(model, task, group, self.found[task])
                for task in group[0].results
            }
            for model, group in self.models.items()
        }

    def details(self) -> dict[str, Any]:
        """Return what else there is about each task, as plain JSON types."""
        return {
            task: self.main[0].results[task].details
            | {"comparison": found.to_dict()}
            | ({"ablation": self.ablation[task]} if task in self.ablation else {})
            for task, found in self.found.items()
        }


def evaluate_models(config: Config, models: dict[str, list[EvaluatedModel]]) -> Evaluated:
    """Draw the conclusions from all models' results."""
    main = models[main_model(config)]
    found = {
        task: conclude(
            task,
            main_metric(config.tasks[task]),
            {
                model: [each.results[task] for each in group]
                for model, group in models.items()
                if task in group[0].results
            },
            main[0].baselines[task],
            config.evaluation,
        )
        for task in main[0].results
    }
    ablation = tabulate(
        [each.ablation for each in main],
        {name: main_metric(task) for name, task in config.tasks.items()},
        config.modality_order(),
        config.evaluation,
    )
    return Evaluated(models, found, ablation)


def mean_metrics(runs: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the mean of each metric that all trainings have."""
    names = [name for name in runs[0] if all(name in run for run in runs)]
    return {name: sum(run[name] for run in runs) / len(runs) for name in names}


def bundle_metrics(config: Config, main: EvaluatedModel) -> dict[str, dict[str, Any]]:
    """Return the figures of the one training whose weights are in the bundle."""
    found: dict[str, dict[str, Any]] = {}
    for task, result in main.results.items():
        metric = main_metric(config.tasks[task])
        figure = summarise([result], metric, config.evaluation)
        more = {"samples": figure.samples, f"{metric.name}_interval": list(figure.interval)}
        found[task] = {**result.metrics, **more}
    return found


def sentences(config: Config, evaluated: Evaluated) -> tuple[str, ...]:
    """Return the findings, task by task, and one prediction as an example."""
    order, lines = config.modality_order(), list[str | None]()
    for task, found in evaluated.found.items():
        table = evaluated.ablation.get(task)
        subsets: dict[str, float] = table["subsets"] if table else {}
        inside = {name: subsets[name] for name in order if name in subsets}
        means = mean_metrics([each.metrics[task] for each in evaluated.main])
        lines += [
            figure_sentence(found),
            comparison_sentence(found, inside, advice_for(config)),
            baseline_sentence(found),
            chance_sentence(found, means),
            ablation_sentence(task, found.metric, subsets, order) if subsets else None,
        ]
    if evaluated.found:
        lines.append(_about_intervals(config))
    unmeasured = [name for name in config.tasks if name not in evaluated.found]
    if unmeasured:
        lines.append(
            f"warning: no usable sample of test has a label for {listed(unmeasured)}: there is no "
            "figure, and the model is packaged without one"
        )
    lines.append(evaluated.main[0].example)
    return tuple(line for line in lines if line)


def _about_intervals(config: Config) -> str:
    level = f"{100 * config.evaluation.confidence:g} %"
    if config.evaluation.seeds > 1:
        return f"brackets: {level} intervals over the test samples; figures: means of trainings"
    return (
        f"brackets: {level} intervals over the test samples; one training of each model, so what "
        "another seed would change is not known: see 'evaluation.seeds'"
    )


def _origin(
    model: str, task: str, group: Sequence[EvaluatedModel], found: Conclusion
) -> dict[str, Any]:
    figure = found.figures[model]
    origin: dict[str, Any] = {"samples": figure.samples, "interval": list(figure.interval)}
    if len(group) > 1:
        origin["seeds"] = [each.metrics[task] for each in group]
    present = mean_metrics([each.where_present.get(task, {}) for each in group])
    return origin | {"where_present": present}
