"""From sections of encoders to modules."""

import math
from typing import assert_never

from torch import nn

from mmray.config.model.encoder import (
    CnnEncoderConfig,
    GruEncoderConfig,
    LeNetEncoderConfig,
    LstmEncoderConfig,
    MlpEncoderConfig,
    TransformerEncoderConfig,
)
from mmray.core.kind import Kind
from mmray.core.spec import FeatureSpec
from mmray.models.encoders.cnn import ImageCnnEncoder, SequenceCnnEncoder
from mmray.models.encoders.frames import (
    FlatFramesStem,
    FramesEncoder,
    PatchFramesTransformerEncoder,
)
from mmray.models.encoders.lenet import LeNet, PixelLeNetEncoder, SpectrumLeNetEncoder
from mmray.models.encoders.linear import LinearEncoder
from mmray.models.encoders.mlp import MlpEncoder
from mmray.models.encoders.recurrent import RecurrentEncoder
from mmray.models.encoders.standardise import Standardise
from mmray.models.encoders.stem import FlatPixelStem, MeanStem, VectorStem
from mmray.models.encoders.transformer import (
    PatchTransformerEncoder,
    SequenceTransformerEncoder,
    transformer_stack,
)


def build_linear(spec: FeatureSpec, width: int) -> nn.Module:
    """Build one affine map of a vector."""
    stem, size = _vector_stem(spec, width)
    return LinearEncoder(stem, _vector_norm(spec, size), size, width)


def build_mlp(config: MlpEncoderConfig, spec: FeatureSpec, width: int) -> nn.Module:
    """Build hidden layers over a vector."""
    stem, size = _vector_stem(spec, width)
    norm = _vector_norm(spec, size)
    return MlpEncoder(stem, norm, size, width, hidden=config.hidden, dropout=config.dropout)


def _vector_stem(spec: FeatureSpec, width: int) -> tuple[nn.Module, int]:
    match spec.layout:
        case "vector":
            return VectorStem(Standardise(spec.shape[0])), spec.shape[0]
        case "sequence":
            return MeanStem(Standardise(spec.shape[1])), spec.shape[1]
        case "tokens":
            return MeanStem(nn.Embedding(spec.vocabulary, width, padding_idx=0)), width
        case "pixels":
            return FlatPixelStem(), math.prod(spec.shape)
        case "frames":
            return FlatFramesStem(), math.prod(spec.shape[1:])
        case _:
            assert_never(spec.layout)


def _vector_norm(spec: FeatureSpec, size: int) -> nn.Module:
    """Normalise the layer, except for a table: it would reduce a single number to its sign."""
    return nn.Identity() if spec.kind == Kind.TABLE else nn.LayerNorm(size)


def _sequence_stem(spec: FeatureSpec, embedding: int) -> tuple[nn.Module, int]:
    """Embed token ids; scale the features of each step, whose ranges can differ widely (MFCC)."""
    if spec.layout == "tokens":
        return nn.Embedding(spec.vocabulary, embedding, padding_idx=0), embedding
    return Standardise(spec.shape[1]), spec.shape[1]


def build_recurrent(
    config: LstmEncoderConfig | GruEncoderConfig, spec: FeatureSpec, width: int
) -> nn.Module:
    """Build an LSTM or a GRU over steps."""
    stem, size = _sequence_stem(spec, config.embedding)
    network = (nn.LSTM if isinstance(config, LstmEncoderConfig) else nn.GRU)(
        size,
        config.hidden,
        config.layers,
        batch_first=True,
        dropout=config.dropout if config.layers > 1 else 0.0,
        bidirectional=config.bidirectional,
    )
    return RecurrentEncoder(stem, network, width, pooling=config.pooling, dropout=config.dropout)


def build_cnn(config: CnnEncoderConfig, spec: FeatureSpec, width: int) -> nn.Module:
    """Build convolutions over pictures, frames or steps."""
    if spec.layout in ("pixels", "frames"):
        picture = ImageCnnEncoder(
            config.channels, config.kernel, width, pool=config.pool, dropout=config.dropout
        )
        if spec.layout == "pixels":
            return picture
        return FramesEncoder(picture, width, max_steps=spec.shape[0], over_time=config.over_time)
    stem, size = _sequence_stem(spec, config.embedding)
    return SequenceCnnEncoder(
        stem, size, config.channels, kernel=config.kernel, width=width, dropout=config.dropout
    )


def build_lenet(config: LeNetEncoderConfig, spec: FeatureSpec, width: int) -> nn.Module:
    """Build a LeNet over pictures or spectrograms."""
    size = (spec.shape[0], spec.shape[1])
    depth = {"channels": config.channels, "layers": config.layers, "width": width}
    if spec.layout == "pixels":
        return PixelLeNetEncoder(LeNet(size, 3, **depth))
    return SpectrumLeNetEncoder(LeNet(size, 1, **depth), *size)


def build_transformer(config: TransformerEncoderConfig, spec: FeatureSpec, width: int) -> nn.Module:
    """Build self-attention over patches or steps."""
    stack = transformer_stack(
        width,
        heads=config.heads,
        layers=config.layers,
        feedforward=config.feedforward,
        dropout=config.dropout,
    )
    if spec.layout == "pixels":
        size = (spec.shape[0], spec.shape[1])
        return PatchTransformerEncoder(size, config.patch, stack, width=width)
    if spec.layout == "frames":
        steps, height, side, _ = spec.shape
        return PatchFramesTransformerEncoder(
            (steps, height, side), config.patch, stack, width=width
        )
    stem, in_size = _sequence_stem(spec, width)
    return SequenceTransformerEncoder(stem, in_size, stack, width=width, max_steps=spec.shape[0])
