"""The tasks: one section each, all trained together."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, PositiveFloat, PositiveInt, model_validator

from mmray.config.base import CustomConfig, StrictModel
from mmray.config.task.class_name import ClassNames, FlagName
from mmray.config.task.loss import (
    AlignmentLossConfig,
    BceConfig,
    ClassesLossConfig,
    CrossEntropyConfig,
    FlagsLossConfig,
    InfoNceConfig,
    NumberLossConfig,
    QuantileLossConfig,
    RegressionLossConfig,
    SupervisedContrastiveConfig,
)
from mmray.config.task.metric import EPOCH_METRICS, Direction


def _is_free(name: str) -> str:
    if name in {metric.name for metric in EPOCH_METRICS}:
        raise ValueError(f"{name!r} is a metric of every task: name this one otherwise")
    return name


MetricName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$"), AfterValidator(_is_free)]


class BaseTaskConfig(StrictModel):
    """Settings of every task."""

    weight: PositiveFloat = 1.0
    """Weight of this task's loss in the sum."""

    @property
    def quantiles(self) -> tuple[float, ...] | None:
        """The quantiles that are predicted, if any."""
        return None


class ClassificationConfig(BaseTaskConfig):
    """One class out of several."""

    kind: Literal["classification"] = "classification"
    column: str
    """Column of the manifest that holds the labels."""
    classes: ClassNames | None = None
    """All allowed labels, in order; without it, those of the train split, sorted."""
    loss: ClassesLossConfig = CrossEntropyConfig()
    """The loss of this task."""


class BinaryConfig(BaseTaskConfig):
    """Yes or no."""

    kind: Literal["binary"] = "binary"
    column: str
    """Column of the manifest that holds the labels."""
    positive: FlagName | None = None
    """The label that counts as positive; not needed for 1/0, true/false and yes/no."""
    loss: FlagsLossConfig = BceConfig()
    """The loss of this task."""


class MultilabelConfig(BaseTaskConfig):
    """Any number of classes at once, also none."""

    kind: Literal["multilabel"] = "multilabel"
    column: str
    """Column of the manifest that holds the labels."""
    classes: ClassNames | None = None
    """All allowed labels, in order; without it, those of the train split, sorted."""
    separator: str = Field(default="|", min_length=1)
    """Separator of the labels in a cell of text; JSON lists need none."""
    loss: FlagsLossConfig = BceConfig()
    """The loss of this task."""


class OrdinalConfig(BaseTaskConfig):
    """One class out of several that have an order."""

    kind: Literal["ordinal"] = "ordinal"
    column: str
    """Column of the manifest that holds the labels."""
    classes: ClassNames | None = None
    """All allowed labels, lowest first; not needed where all are numbers."""
    method: Literal["corn", "coral"] = "corn"
    """CORN (Shi 2021) has one map per threshold, CORAL (Cao 2020) one for all thresholds."""


class RegressionConfig(BaseTaskConfig):
    """A number. It is standardised with the train split's mean and deviation."""

    kind: Literal["regression"] = "regression"
    column: str
    """Column of the manifest that holds the numbers."""
    loss: NumberLossConfig = RegressionLossConfig()
    """The loss of this task."""

    @property
    def quantiles(self) -> tuple[float, ...] | None:
        """The quantiles that are predicted, if any."""
        return self.loss.quantiles if isinstance(self.loss, QuantileLossConfig) else None


class AlignmentConfig(BaseTaskConfig):
    """One embedding space in which the payloads of a sample lie close together."""

    kind: Literal["alignment"] = "alignment"
    column: str | None = None
    """Column of the class, for a ``supervised`` loss only; else the samples themselves are the
    labels."""
    size: PositiveInt = 128
    """Size of the shared embedding."""
    loss: AlignmentLossConfig = InfoNceConfig()
    """The contrastive loss."""

    @model_validator(mode="after")
    def _column_goes_with_supervised(self) -> Self:
        is_supervised = isinstance(self.loss, SupervisedContrastiveConfig)
        if is_supervised and self.column is None:
            raise ValueError("a supervised alignment needs 'column', the column of the classes")
        if not is_supervised and self.column is not None:
            raise ValueError(
                f"'column' is for the supervised loss; {self.loss.kind} needs no labels"
            )
        return self


class CustomTaskConfig(BaseTaskConfig, CustomConfig):
    """A user's own task."""

    kind: Literal["custom"] = "custom"
    column: str
    """Column of the manifest that holds the labels."""
    labels: Literal["class", "classes", "number"]
    """Content of a cell of the column, and of an answer."""
    separator: str = Field(default="|", min_length=1)
    """Text between the labels of a cell, where a sample has several; JSON lists need none."""
    metrics: Annotated[dict[MetricName, Direction], Field(min_length=1)]
    """Metrics by name, each with its better direction; reports and plots show the first one."""


TaskConfig = Annotated[
    ClassificationConfig
    | BinaryConfig
    | MultilabelConfig
    | OrdinalConfig
    | RegressionConfig
    | AlignmentConfig
    | CustomTaskConfig,
    Field(discriminator="kind"),
]
