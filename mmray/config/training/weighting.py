"""How the losses of several tasks are combined."""

from typing import Annotated, Literal

from pydantic import Field, NonNegativeFloat, PositiveFloat

from mmray.config.base import StrictModel


class FixedWeightingConfig(StrictModel):
    """Each task's own ``weight``."""

    kind: Literal["fixed"] = "fixed"


class UncertaintyWeightingConfig(StrictModel):
    """A learned variance per task (Kendall 2018), times each task's own ``weight``."""

    kind: Literal["uncertainty"] = "uncertainty"


class GradNormWeightingConfig(StrictModel):
    """Weights that equalise the tasks' gradients and favour slow tasks (Chen 2018).

    They multiply each task's own ``weight``, and average one.
    """

    kind: Literal["gradnorm"] = "gradnorm"
    alpha: NonNegativeFloat = 1.5
    """How much slow tasks are favoured; zero only makes the gradients equally large."""
    lr: PositiveFloat = 0.01
    """Learning rate of the weights."""


WeightingConfig = Annotated[
    FixedWeightingConfig | UncertaintyWeightingConfig | GradNormWeightingConfig,
    Field(discriminator="kind"),
]
