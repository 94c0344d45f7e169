"""How the losses of several tasks make one."""

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
    """Weights that keep the tasks' gradients alike, and favour what is learnt slowly (Chen 2018).

    They are factors of each task's own ``weight``, and are one on average.
    """

    kind: Literal["gradnorm"] = "gradnorm"
    alpha: NonNegativeFloat = 1.5
    """How much tasks that are learnt slowly are favoured; zero only makes gradients alike."""
    lr: PositiveFloat = 0.01
    """Of the weights."""


WeightingConfig = Annotated[
    FixedWeightingConfig | UncertaintyWeightingConfig | GradNormWeightingConfig,
    Field(discriminator="kind"),
]
