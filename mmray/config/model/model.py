"""The trained model: fusion, width, dropout."""

from typing import Annotated, Literal, Self

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt, model_validator

from mmray.config.base import CustomConfig, Fraction, StrictModel

AUXILIARY = 1.0


class ConcatFusionConfig(StrictModel):
    """All embeddings concatenated with presence, through one hidden layer."""

    kind: Literal["concat"] = "concat"


class GatedFusionConfig(StrictModel):
    """One learned gate per modality and coordinate; the gates of a coordinate sum to one."""

    kind: Literal["gated"] = "gated"
    temperature: PositiveFloat = 1.0
    """Divides the scores before the softmax. Lower means closer to picking one modality."""


class GmuFusionConfig(StrictModel):
    """Gated multimodal unit (Arevalo 2017): one independent gate per modality and coordinate.

    For two modalities, ``gated`` is the paper's other form, whose two gates sum to one.
    """

    kind: Literal["gmu"] = "gmu"


class LowRankFusionConfig(StrictModel):
    """Products of one linear map per modality, summed over the ranks (LMF, Liu 2018)."""

    kind: Literal["low_rank"] = "low_rank"
    rank: PositiveInt = 4
    """Number of products that are summed; a higher rank is more expressive and costs more."""


class TensorFusionConfig(StrictModel):
    """All products of coordinates across the modalities (TFN, Zadeh 2017)."""

    kind: Literal["tensor"] = "tensor"
    size: PositiveInt = 16
    """Size that each embedding is mapped to first: (size + 1) ** modalities products."""


class AttentionFusionConfig(StrictModel):
    """Self-attention over one token per modality and a query token."""

    kind: Literal["attention"] = "attention"
    heads: PositiveInt = 4
    """Attention heads; ``model.width`` must be a multiple."""
    layers: PositiveInt = 2
    """Blocks of self-attention."""


class TransformerFusionConfig(StrictModel):
    """Self-attention over all tokens of all modalities and a query token."""

    kind: Literal["transformer"] = "transformer"
    heads: PositiveInt = 4
    """Attention heads; ``model.width`` must be a multiple."""
    layers: PositiveInt = 2
    """Blocks of self-attention."""


class CrossAttentionFusionConfig(StrictModel):
    """The tokens of each modality attend to those of each other one (MulT, Tsai 2019)."""

    kind: Literal["cross_attention"] = "cross_attention"
    heads: PositiveInt = 4
    """Attention heads; ``model.width`` must be a multiple."""
    layers: PositiveInt = 1
    """Layers of cross-attention for each ordered pair of modalities."""


class BottleneckFusionConfig(StrictModel):
    """Modalities exchange information only through a few shared tokens (MBT, Nagrani 2021)."""

    kind: Literal["bottleneck"] = "bottleneck"
    tokens: PositiveInt = 4
    """Number of tokens that all modalities share."""
    heads: PositiveInt = 4
    """Attention heads; ``model.width`` must be a multiple."""
    layers: int = Field(default=2, ge=2)
    """Number of layers. The first one gathers; from the second on, a modality receives from the
    others."""


class PerceiverFusionConfig(StrictModel):
    """A few learned latents attend to all tokens of all modalities (Jaegle 2021)."""

    kind: Literal["perceiver"] = "perceiver"
    latents: PositiveInt = 16
    """Number of learned vectors that attend to the tokens."""
    heads: PositiveInt = 4
    """Attention heads; ``model.width`` must be a multiple."""
    layers: PositiveInt = 2
    """Rounds of attention to the tokens, then among the latents."""


class ExpertsFusionConfig(StrictModel):
    """A few of several small networks, chosen for each sample by a router (Shazeer 2017)."""

    kind: Literal["experts"] = "experts"
    experts: PositiveInt = 4
    """Number of networks."""
    active: PositiveInt = 2
    """Number of experts per sample."""

    @model_validator(mode="after")
    def _active_is_some(self) -> Self:
        if self.active > self.experts:
            raise ValueError(f"active ({self.active}) is more than experts ({self.experts})")
        if self.active == 1 < self.experts:
            raise ValueError("with active 1 the router has no gradient: use two or more")
        return self


class FilmFusionConfig(StrictModel):
    """One modality, scaled and shifted by the others (FiLM, Perez 2018)."""

    kind: Literal["film"] = "film"
    conditioned: str | None = None
    """The modality that the others scale and shift; by default the first of the M axis."""


class LateFusionConfig(StrictModel):
    """Heads per modality; the outputs of the present modalities are averaged."""

    kind: Literal["late"] = "late"
    weights: Literal["mean", "learned"] = "mean"
    """``learned``: one weight per modality and task."""


class CustomFusionConfig(CustomConfig):
    """A user's own fusion."""

    kind: Literal["custom"] = "custom"
    tokens: bool = False
    """Pass the tokens of each modality instead of one embedding of each."""


FusionConfig = Annotated[
    ConcatFusionConfig
    | GatedFusionConfig
    | GmuFusionConfig
    | LowRankFusionConfig
    | TensorFusionConfig
    | AttentionFusionConfig
    | TransformerFusionConfig
    | CrossAttentionFusionConfig
    | BottleneckFusionConfig
    | PerceiverFusionConfig
    | ExpertsFusionConfig
    | FilmFusionConfig
    | LateFusionConfig
    | CustomFusionConfig,
    Field(discriminator="kind"),
]
AttendingFusionConfig = (
    AttentionFusionConfig
    | TransformerFusionConfig
    | CrossAttentionFusionConfig
    | BottleneckFusionConfig
    | PerceiverFusionConfig
)


class ModelConfig(StrictModel):
    """The model between encoders and heads."""

    width: PositiveInt = 128
    """Size of every embedding and of the fused vector (D)."""
    fusion: FusionConfig = ConcatFusionConfig()
    """How the embeddings of the modalities become one vector."""
    dropout: Fraction = 0.2
    """Dropout on every embedding and on the fused vector during training."""
    modality_dropout: Fraction = 0.2
    """Probability of hiding a present modality of a sample during training; one always stays."""

    auxiliary: NonNegativeFloat = AUXILIARY
    """Weight of the loss of each modality alone, through the same fusion and heads. Above zero, a
    modality that learns slowly keeps learning although a faster one explains most labels. Where
    ``train.balance`` weighs these losses itself, its weights replace this one."""

    @model_validator(mode="after")
    def _heads_divide_width(self) -> Self:
        if isinstance(self.fusion, AttendingFusionConfig) and self.width % self.fusion.heads:
            raise ValueError(
                f"width ({self.width}) must be a multiple of heads ({self.fusion.heads})"
            )
        return self
