"""How training keeps the modalities in balance."""

from typing import Annotated, Literal, Self

from pydantic import (
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    model_validator,
)

from mmray.config.base import StrictModel


class NoBalanceConfig(StrictModel):
    """Every gradient as it is."""

    kind: Literal["none"] = "none"


class OgmGeConfig(StrictModel):
    """Slows the encoders of the modalities that are ahead, and adds noise (Peng 2022)."""

    kind: Literal["ogm_ge"] = "ogm_ge"
    alpha: NonNegativeFloat = 0.5
    """How much: the gradient is multiplied with 1 - tanh(alpha * ratio)."""
    noise: bool = True
    """Add noise to the encoders' gradients, as large as these."""
    start: NonNegativeInt = 0
    """Epochs that are trained without it first."""
    end: PositiveInt | None = None
    """Epochs after which it stops; by default it does not."""

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Self:
        if self.end is not None and self.end <= self.start:
            raise ValueError(f"end ({self.end}) is not after start ({self.start})")
        return self


class GradientBlendingConfig(StrictModel):
    """Weighs the losses of each modality alone and of all by how they overfit (Wang 2020)."""

    kind: Literal["gradient_blending"] = "gradient_blending"
    every: int = Field(default=3, ge=2)
    """Epochs after which the weights are estimated anew."""


class MmParetoConfig(StrictModel):
    """Resolves conflicts between the joint and each modality's own gradient (Wei and Hu 2024)."""

    kind: Literal["mmpareto"] = "mmpareto"
    scale: PositiveFloat = 1.5
    """Of the gradients of the encoders."""


BalanceConfig = Annotated[
    NoBalanceConfig | OgmGeConfig | GradientBlendingConfig | MmParetoConfig,
    Field(discriminator="kind"),
]
