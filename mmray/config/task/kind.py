"""What a kind of task can do, one record each, for all who need no tensors.

Its other half, what computes, is in ``mmray/training/tasks/build.py``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import permutations
from typing import Any, Literal, TypeAlias

from mmray.config.task.metric import Metric, main_metric_of, metrics_of, of_pair
from mmray.config.task.task import (
    AlignmentConfig,
    BaseTaskConfig,
    BinaryConfig,
    ClassificationConfig,
    CustomTaskConfig,
    MultilabelConfig,
    OrdinalConfig,
    RegressionConfig,
    TaskConfig,
)

LabelForm: TypeAlias = Literal["class", "classes", "number"]
AnswerForm: TypeAlias = Literal["class", "classes", "number", "embeddings"]
Drawing: TypeAlias = Literal["confusion matrix", "predicted against true"]


@dataclass(frozen=True, slots=True)
class TaskKind:
    """One kind of task: its section, its labels, its answers, and what follows from them."""

    config: type[BaseTaskConfig]
    label: LabelForm
    """The form of a label in its column."""
    answer: AnswerForm
    """The form of its prediction."""
    form: Callable[[Any], LabelForm] | None = None
    """The form of labels and answers, where a section declares it."""
    has_probabilities: bool = False
    """Whether every class has a probability beside the answer."""
    has_one_class: bool = False
    """Whether a sample has one class, by whose number it is encoded: these can be balanced."""
    needs_two_classes: bool = False
    """Whether a single class is not enough to train."""
    metrics: Callable[[Any], tuple[Metric, ...]] | None = None
    """The metrics that a section names, the main one first; else those of the list."""
    has_known_classes: bool = False
    """Whether a class that is neither listed nor in the train split is an error."""
    listed: Callable[[Any], tuple[str, ...] | None] | None = None
    """The classes that a section lists, if it may; else they are those of the train split."""
    positive: Callable[[Any], str | None] | None = None
    """The class that a section names as the one that is sought, of two."""
    separator: Callable[[Any], str] | None = None
    """The separator of the classes in a cell of text, if a sample has several."""
    has_ordered_classes: bool = False
    """Whether the classes have an order."""
    compares_modalities: bool = False
    """Whether samples are compared across modalities: one alone has nothing to compare, and the
    loss of a sample is of the batch around it."""
    unit: Literal["", "ranks", "column"] = ""
    """The unit of errors."""
    drawing: Drawing | None = None
    """The plot of predictions on the test split."""

    @property
    def has_classes(self) -> bool:
        """Whether labels are names of classes, which can be counted."""
        return self.label != "number"


def _listed(
    task: ClassificationConfig | MultilabelConfig | OrdinalConfig,
) -> tuple[str, ...] | None:
    return task.classes


def _positive(task: BinaryConfig) -> str | None:
    return task.positive


def _separator(task: MultilabelConfig | CustomTaskConfig) -> str:
    return task.separator


def _form(task: CustomTaskConfig) -> LabelForm:
    return task.labels


def _metrics(task: CustomTaskConfig) -> tuple[Metric, ...]:
    return tuple(Metric(name, direction) for name, direction in task.metrics.items())


TASK_KINDS: Mapping[str, TaskKind] = {
    "classification": TaskKind(
        ClassificationConfig,
        "class",
        "class",
        has_known_classes=True,
        has_probabilities=True,
        has_one_class=True,
        needs_two_classes=True,
        listed=_listed,
        drawing="confusion matrix",
    ),
    "binary": TaskKind(
        BinaryConfig,
        "class",
        "class",
        has_known_classes=True,
        has_probabilities=True,
        has_one_class=True,
        needs_two_classes=True,
        positive=_positive,
        drawing="confusion matrix",
    ),
    "multilabel": TaskKind(
        MultilabelConfig,
        "classes",
        "classes",
        has_known_classes=True,
        has_probabilities=True,
        listed=_listed,
        separator=_separator,
    ),
    "ordinal": TaskKind(
        OrdinalConfig,
        "class",
        "class",
        has_known_classes=True,
        has_probabilities=True,
        has_one_class=True,
        needs_two_classes=True,
        listed=_listed,
        has_ordered_classes=True,
        unit="ranks",
        drawing="confusion matrix",
    ),
    "regression": TaskKind(
        RegressionConfig,
        "number",
        "number",
        unit="column",
        drawing="predicted against true",
    ),
    "alignment": TaskKind(
        AlignmentConfig,
        "class",
        "embeddings",
        has_known_classes=True,
        needs_two_classes=True,
        compares_modalities=True,
    ),
    "custom": TaskKind(
        CustomTaskConfig,
        "number",
        "number",
        form=_form,
        separator=_separator,
        metrics=_metrics,
    ),
}


def kind_of(task: TaskConfig) -> TaskKind:
    """Return the record of a task's kind."""
    kind = TASK_KINDS[task.kind]
    if kind.form is None:
        return kind
    form = kind.form(task)
    return replace(kind, label=form, answer=form)


def listed_classes(task: TaskConfig) -> tuple[str, ...] | None:
    """Return the classes that a section lists, if it does."""
    listed = kind_of(task).listed
    return None if listed is None else listed(task)


def main_metric(task: TaskConfig) -> Metric:
    """Return the metric that reports and plots show first."""
    metrics = kind_of(task).metrics
    return main_metric_of(task.kind) if metrics is None else metrics(task)[0]


def task_metrics(task: TaskConfig, modalities: Sequence[str]) -> tuple[Metric, ...]:
    """Return the metrics that a task can have; the labels decide which exist."""
    metrics = kind_of(task).metrics
    if metrics is not None:
        return metrics(task)
    found = [m for m in metrics_of(task.kind) if task.quantiles or not m.of_quantiles]
    pairs = list(permutations(modalities, 2))
    of_pairs = [
        of_pair(metric, f"{metric.name}_{a}_to_{b}")
        for metric in found
        if metric.of_pairs
        for a, b in pairs
    ]
    return (*found, *of_pairs)


def independent(tasks: Mapping[str, TaskConfig]) -> dict[str, TaskConfig]:
    """Return the tasks that one modality alone can have."""
    return {name: task for name, task in tasks.items() if not kind_of(task).compares_modalities}


def balanced_task(tasks: Mapping[str, TaskConfig], wanted: str | None) -> str:
    """Return the task whose classes ``train.sampling: balanced`` balances.

    Raises:
        ValueError: ``wanted``, or any task, has not one class per sample.
    """
    fitting = [name for name, task in tasks.items() if kind_of(task).has_one_class]
    chosen = wanted or next(iter(fitting), None)
    if chosen is None or chosen not in fitting:
        wrong = "" if wanted is None else f", and {wanted!r} is not one"
        raise ValueError(
            f"train.sampling: balanced needs a task with one class per sample{wrong}; "
            f"such tasks: {', '.join(fitting) or 'none'}"
        )
    return chosen
