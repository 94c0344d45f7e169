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
    """No balance: gradients are unchanged."""

    kind: Literal["none"] = "none"


class OgmGeConfig(StrictModel):
    """Slows the encoders of modalities that are ahead, and adds noise (Peng 2022)."""

    kind: Literal["ogm_ge"] = "ogm_ge"
    alpha: NonNegativeFloat = 0.5
    """Strength: the gradient is multiplied by 1 - tanh(alpha * ratio)."""
    noise: bool = True
    """Add noise to the encoders' gradients, as large as the gradients."""
    start: NonNegativeInt = 0
    """First epochs, trained without it."""
    end: PositiveInt | None = None
    """Epoch after which it stops; never by default."""

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Self:
        if self.end is not None and self.end <= self.start:
            raise ValueError(f"end ({self.end}) is not after start ({self.start})")
        return self


class GradientBlendingConfig(StrictModel):
    """Weighs the losses of each modality alone and of all by how they overfit (Wang 2020)."""

    kind: Literal["gradient_blending"] = "gradient_blending"
    every: int = Field(default=3, ge=2)
    """Number of epochs between estimates of the weights."""


class MmParetoConfig(StrictModel):
    """Resolves conflicts between the joint and each modality's own gradient (Wei and Hu 2024)."""

    kind: Literal["mmpareto"] = "mmpareto"
    scale: PositiveFloat = 1.5
    """Factor of the gradients of the encoders."""


BalanceConfig = Annotated[
    NoBalanceConfig | OgmGeConfig | GradientBlendingConfig | MmParetoConfig,
    Field(discriminator="kind"),
]
