"""What is learnt: one section per task, all trained together."""

from typing import Annotated, Literal

from pydantic import Field, PositiveFloat

from mmray.config.base import Fraction, StrictModel


class CrossEntropyConfig(StrictModel):
    """Cross entropy over the classes."""

    kind: Literal["cross_entropy"] = "cross_entropy"
    label_smoothing: Fraction = 0.0
    class_weights: Literal["none", "balanced"] = "none"
    """``balanced`` weighs a class by the inverse of its share of the train split."""


class ClassificationConfig(StrictModel):
    """One class out of several."""

    kind: Literal["classification"] = "classification"
    column: str
    classes: tuple[str, ...] | None = None
    """All allowed labels, in order; without it, those of the train split, sorted."""
    weight: PositiveFloat = 1.0
    """Of this task's loss in the sum."""
    loss: CrossEntropyConfig = CrossEntropyConfig()


class RegressionLossConfig(StrictModel):
    """Loss on the standardised target."""

    kind: Literal["mse", "mae", "huber"] = "huber"


class RegressionConfig(StrictModel):
    """A number. It is standardised with the train split's mean and deviation."""

    kind: Literal["regression"] = "regression"
    column: str
    weight: PositiveFloat = 1.0
    """Of this task's loss in the sum."""
    loss: RegressionLossConfig = RegressionLossConfig()


TaskConfig = Annotated[ClassificationConfig | RegressionConfig, Field(discriminator="kind")]
