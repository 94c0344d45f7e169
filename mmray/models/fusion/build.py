"""From the document's fusion to its module."""

from collections.abc import Sequence
from typing import assert_never

from torch import nn

from mmray.config.model.model import (
    AttendingFusionConfig,
    AttentionFusionConfig,
    BottleneckFusionConfig,
    ConcatFusionConfig,
    CrossAttentionFusionConfig,
    CustomFusionConfig,
    ExpertsFusionConfig,
    FilmFusionConfig,
    FusionConfig,
    GatedFusionConfig,
    GmuFusionConfig,
    LateFusionConfig,
    LowRankFusionConfig,
    PerceiverFusionConfig,
    TensorFusionConfig,
    TransformerFusionConfig,
)
from mmray.core.process.user_code import load_factory
from mmray.models.fusion.attention import AttentionFusion
from mmray.models.fusion.bottleneck import BottleneckFusion
from mmray.models.fusion.concat import ConcatFusion
from mmray.models.fusion.cross_attention import CrossAttentionFusion
from mmray.models.fusion.experts import ExpertsFusion
from mmray.models.fusion.film import FilmFusion
from mmray.models.fusion.gated import GatedFusion
from mmray.models.fusion.gmu import GmuFusion
from mmray.models.fusion.late import LateHead
from mmray.models.fusion.low_rank import LowRankFusion
from mmray.models.fusion.perceiver import PerceiverFusion
from mmray.models.fusion.tensor import TensorFusion
from mmray.models.fusion.transformer import TransformerFusion
from mmray.models.head import AlignmentHead, HeadSpec, SharedSpace, affine_head

PlainFusionConfig = (
    ConcatFusionConfig
    | GatedFusionConfig
    | GmuFusionConfig
    | LowRankFusionConfig
    | TensorFusionConfig
    | ExpertsFusionConfig
    | FilmFusionConfig
)
TokenFusionConfig = (
    TransformerFusionConfig
    | CrossAttentionFusionConfig
    | BottleneckFusionConfig
    | PerceiverFusionConfig
)


def build_fusion(
    config: FusionConfig, *, modalities: Sequence[str], width: int
) -> nn.Module | None:
    """Build the fusion named by ``config.kind``; late fusion has none, its heads do it all.

    A custom factory gets the number of modalities and the width.
    """
    match config:
        case LateFusionConfig():
            return None
        case CustomFusionConfig():
            factory = load_factory(config.factory, where="model.fusion.factory")
            return factory(len(modalities), width, **config.options)
        case (
            AttentionFusionConfig()
            | TransformerFusionConfig()
            | CrossAttentionFusionConfig()
            | BottleneckFusionConfig()
            | PerceiverFusionConfig()
        ):
            return _build_attending(config, len(modalities), width)
        case _:
            return _build_plain(config, modalities, width)


def build_head(config: FusionConfig, *, modalities: int, width: int, spec: HeadSpec) -> nn.Module:
    """Build the head of one task."""
    if isinstance(spec, SharedSpace):
        return AlignmentHead(modalities, width, spec)
    if isinstance(config, LateFusionConfig):
        return LateHead(modalities, width, spec, is_learned=config.weights == "learned")
    return affine_head(width, spec)


def uses_tokens(config: FusionConfig) -> bool:
    """Return whether the fusion is over tokens, not over one embedding per modality."""
    if isinstance(config, CustomFusionConfig):
        return config.tokens
    return isinstance(config, TokenFusionConfig)


def _build_plain(config: PlainFusionConfig, modalities: Sequence[str], width: int) -> nn.Module:
    count = len(modalities)
    match config:
        case ConcatFusionConfig():
            return ConcatFusion(count, width)
        case GatedFusionConfig():
            return GatedFusion(count, width, temperature=config.temperature)
        case GmuFusionConfig():
            return GmuFusion(count, width)
        case LowRankFusionConfig():
            return LowRankFusion(count, width, rank=config.rank)
        case TensorFusionConfig():
            return TensorFusion(count, width, size=config.size)
        case ExpertsFusionConfig():
            return ExpertsFusion(count, width, experts=config.experts, active=config.active)
        case FilmFusionConfig():
            # The model of a part of the modalities may lack it: then the first one takes its place.
            names = list(modalities)
            index = names.index(config.conditioned) if config.conditioned in names else 0
            return FilmFusion(count, width, conditioned=index)
        case _:
            assert_never(config)


def _build_attending(config: AttendingFusionConfig, modalities: int, width: int) -> nn.Module:
    heads, layers = config.heads, config.layers
    match config:
        case AttentionFusionConfig():
            return AttentionFusion(modalities, width, heads=heads, layers=layers)
        case TransformerFusionConfig():
            return TransformerFusion(modalities, width, heads=heads, layers=layers)
        case CrossAttentionFusionConfig():
            return CrossAttentionFusion(modalities, width, heads=heads, layers=layers)
        case BottleneckFusionConfig():
            return BottleneckFusion(
                modalities, width, tokens=config.tokens, heads=heads, layers=layers
            )
        case PerceiverFusionConfig():
            return PerceiverFusion(
                modalities, width, latents=config.latents, heads=heads, layers=layers
            )
        case _:
            assert_never(config)
