"""What is learnt: one section per task, all trained together."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from mmray.config.base import StrictModel
from mmray.config.task.class_name import ClassNames, FlagName
from mmray.config.task.loss import (
    AlignmentLossConfig,
    BceConfig,
    ClassesLossConfig,
    CrossEntropyConfig,
    FlagsLossConfig,
    InfoNceConfig,
    NumberLossConfig,
    RegressionLossConfig,
    SupervisedContrastiveConfig,
)


class BaseTaskConfig(StrictModel):
    """What every task has."""

    main_metric: ClassVar[str]
    """The metric that reports and plots show first."""
    weight: PositiveFloat = 1.0
    """Of this task's loss in the sum."""


class ClassificationConfig(BaseTaskConfig):
    """One class out of several."""

    main_metric = "accuracy"
    kind: Literal["classification"] = "classification"
    column: str
    """Column of the manifest that holds the labels."""
    classes: ClassNames | None = None
    """All allowed labels, in order; without it, those of the train split, sorted."""
    loss: ClassesLossConfig = CrossEntropyConfig()
    """The loss of this task."""


class BinaryConfig(BaseTaskConfig):
    """Yes or no."""

    main_metric = "accuracy"
    kind: Literal["binary"] = "binary"
    column: str
    """Column of the manifest that holds the labels."""
    positive: FlagName | None = None
    """The label that counts as positive; not needed for 1/0, true/false and yes/no."""
    loss: FlagsLossConfig = BceConfig()
    """The loss of this task."""


class MultilabelConfig(BaseTaskConfig):
    """Any number of classes at once, none among them."""

    main_metric = "f1_micro"
    kind: Literal["multilabel"] = "multilabel"
    column: str
    """Column of the manifest that holds the labels."""
    classes: ClassNames | None = None
    """All allowed labels, in order; without it, those of the train split, sorted."""
    separator: str = Field(default="|", min_length=1)
    """Between the labels of a cell of text; JSON lists need none."""
    loss: FlagsLossConfig = BceConfig()
    """The loss of this task."""


class OrdinalConfig(BaseTaskConfig):
    """One class out of several that have an order."""

    main_metric = "mae"
    kind: Literal["ordinal"] = "ordinal"
    column: str
    """Column of the manifest that holds the labels."""
    classes: ClassNames | None = None
    """All allowed labels, lowest first; not needed where all are numbers."""
    method: Literal["corn", "coral"] = "corn"
    """CORN (Shi 2021) has a map per threshold, CORAL (Cao 2020) one for all."""


class RegressionConfig(BaseTaskConfig):
    """A number. It is standardised with the train split's mean and deviation."""

    main_metric = "mae"
    kind: Literal["regression"] = "regression"
    column: str
    """Column of the manifest that holds the numbers."""
    loss: NumberLossConfig = RegressionLossConfig()
    """The loss of this task."""


class AlignmentConfig(BaseTaskConfig):
    """One space in which the payloads of a sample lie close together, whatever their modality."""

    main_metric = "recall_at_1"
    kind: Literal["alignment"] = "alignment"
    column: str | None = None
    """Of the class, for a ``supervised`` loss alone; else the samples themselves are the labels."""
    size: PositiveInt = 128
    """Of the shared embedding."""
    loss: AlignmentLossConfig = InfoNceConfig()
    """The contrastive loss."""

    @model_validator(mode="after")
    def _column_goes_with_supervised(self) -> Self:
        is_supervised = isinstance(self.loss, SupervisedContrastiveConfig)
        if is_supervised and self.column is None:
            raise ValueError("a supervised alignment needs 'column', which tells the classes")
        if not is_supervised and self.column is not None:
            raise ValueError(
                f"'column' is for the supervised loss; {self.loss.kind} needs no labels"
            )
        return self


TaskConfig = Annotated[
    ClassificationConfig
    | BinaryConfig
    | MultilabelConfig
    | OrdinalConfig
    | RegressionConfig
    | AlignmentConfig,
    Field(discriminator="kind"),
]


def balanced_task(tasks: Mapping[str, TaskConfig], wanted: str | None) -> str:
    """Return the task whose classes ``train.sampling: balanced`` balances.

    Raises:
        ValueError: ``wanted``, or any task, has not one class per sample.
    """
    one_class = (ClassificationConfig, BinaryConfig, OrdinalConfig)
    fitting = [name for name, task in tasks.items() if isinstance(task, one_class)]
    chosen = wanted or next(iter(fitting), None)
    if chosen is None or chosen not in fitting:
        wrong = "" if wanted is None else f", and {wanted!r} is not one"
        raise ValueError(
            f"train.sampling: balanced needs a task with one class per sample{wrong}; "
            f"such tasks: {', '.join(fitting) or 'none'}"
        )
    return chosen
