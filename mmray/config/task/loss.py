"""Losses, by kind of task."""

from typing import Annotated, Literal, Self

from pydantic import Field, NonNegativeFloat, PositiveFloat, model_validator

from mmray.config.base import Fraction, StrictModel, or_kind

Share = Annotated[float, Field(gt=0.0, lt=1.0)]


class CrossEntropyConfig(StrictModel):
    """Cross entropy over the classes."""

    kind: Literal["cross_entropy"] = "cross_entropy"
    label_smoothing: Fraction = 0.0
    """Share of the target that is spread over the other classes."""
    class_weights: Literal["none", "balanced"] = "none"
    """``balanced`` weighs a class by the inverse of its share of the train split."""


class FocalClassesConfig(StrictModel):
    """Focal loss over the classes (Lin 2017): well predicted samples count less."""

    kind: Literal["focal"] = "focal"
    gamma: NonNegativeFloat = 2.0
    """How much less they count; zero is cross entropy."""
    class_weights: Literal["none", "balanced"] = "none"
    """``balanced`` weighs a class by the inverse of its share of the train split."""


class BceConfig(StrictModel):
    """Binary cross entropy."""

    kind: Literal["bce"] = "bce"
    positive_weight: PositiveFloat | Literal["none", "balanced"] = "none"
    """Weight of a positive label. ``balanced``: negatives over positives in the train split."""


class FocalConfig(StrictModel):
    """Focal loss (Lin 2017): well predicted samples count less."""

    kind: Literal["focal"] = "focal"
    gamma: NonNegativeFloat = 2.0
    """How much less they count; zero is binary cross entropy."""
    alpha: Share | None = None
    """Weight of positive labels; negative ones have ``1 - alpha``. None: 1 for both."""


class RegressionLossConfig(StrictModel):
    """Loss on the standardised target."""

    kind: Literal["mse", "mae", "huber"] = "huber"
    """Squared error, absolute error, or squared near zero and absolute beyond (``huber``)."""


class QuantileLossConfig(StrictModel):
    """Pinball loss (Koenker 1978) on the standardised target: one output per quantile."""

    kind: Literal["quantile"] = "quantile"
    quantiles: tuple[Share, ...] = (0.05, 0.5, 0.95)
    """Quantiles to predict. The median is the prediction, the lowest and the highest are its
    interval."""

    @model_validator(mode="after")
    def _quantiles_rise_and_hold_the_median(self) -> Self:
        if list(self.quantiles) != sorted(set(self.quantiles)):
            raise ValueError("quantiles must rise")
        if 0.5 not in self.quantiles:
            raise ValueError("quantiles must hold 0.5, which is the prediction")
        return self


class InfoNceConfig(StrictModel):
    """Which payloads of the batch belong together (InfoNCE; CLIP, Radford 2021)."""

    kind: Literal["info_nce"] = "info_nce"
    temperature: PositiveFloat = 0.07
    """Initial temperature; it is learned."""


class SiglipConfig(StrictModel):
    """Binary loss over pairs of payloads: whether they belong together (SigLIP, Zhai 2023)."""

    kind: Literal["siglip"] = "siglip"
    temperature: PositiveFloat = 0.1
    """Initial temperature; it is learned."""
    bias: float = -10.0
    """Initial bias; it is learned. Negative, because most pairs of a batch do not belong
    together."""


class SupervisedContrastiveConfig(StrictModel):
    """All payloads of the same class belong together (SupCon, Khosla 2020)."""

    kind: Literal["supervised"] = "supervised"
    temperature: PositiveFloat = 0.07
    """Initial temperature; it is learned."""


ClassesLossConfig = Annotated[
    CrossEntropyConfig | FocalClassesConfig, Field(discriminator="kind"), or_kind("cross_entropy")
]
FlagsLossConfig = Annotated[BceConfig | FocalConfig, Field(discriminator="kind"), or_kind("bce")]
NumberLossConfig = Annotated[
    RegressionLossConfig | QuantileLossConfig, Field(discriminator="kind"), or_kind("huber")
]
AlignmentLossConfig = Annotated[
    InfoNceConfig | SiglipConfig | SupervisedContrastiveConfig,
    Field(discriminator="kind"),
    or_kind("info_nce"),
]
