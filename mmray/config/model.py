"""The trained model: fusion, width, dropout."""

from typing import Annotated, Literal, Self

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt, model_validator

from mmray.config.base import CustomConfig, Fraction, StrictModel


class ConcatFusionConfig(StrictModel):
    """All embeddings side by side, with presence, through one hidden layer."""

    kind: Literal["concat"] = "concat"


class GatedFusionConfig(StrictModel):
    """Gated multimodal unit: one learned gate per modality and coordinate."""

    kind: Literal["gated"] = "gated"
    temperature: PositiveFloat = 1.0
    """Divides the scores before the softmax. Lower means closer to picking one modality."""


class AttentionFusionConfig(StrictModel):
    """Self-attention over one token per modality and a query token."""

    kind: Literal["attention"] = "attention"
    heads: PositiveInt = 4
    layers: PositiveInt = 1


class CustomFusionConfig(CustomConfig):
    """A user's own fusion."""

    kind: Literal["custom"] = "custom"


FusionConfig = Annotated[
    ConcatFusionConfig | GatedFusionConfig | AttentionFusionConfig | CustomFusionConfig,
    Field(discriminator="kind"),
]


class ModelConfig(StrictModel):
    """What joins the encoders and feeds the heads."""

    width: PositiveInt = 128
    """Size of every embedding and of the fused vector (D)."""
    fusion: FusionConfig = ConcatFusionConfig()
    dropout: Fraction = 0.1
    """On every embedding and on the fused vector, while training."""
    modality_dropout: Fraction = 0.0
    """Probability of hiding a present modality of a sample while training; one always stays."""

    auxiliary: NonNegativeFloat = 0.0
    """Weight of the loss of each modality alone, through the same fusion and heads. Above zero, a
    modality that is learnt slowly is learnt although a faster one explains most labels."""

    @model_validator(mode="after")
    def _heads_divide_width(self) -> Self:
        if isinstance(self.fusion, AttentionFusionConfig) and self.width % self.fusion.heads:
            raise ValueError(
                f"width ({self.width}) must be a multiple of heads ({self.fusion.heads})"
            )
        return self
