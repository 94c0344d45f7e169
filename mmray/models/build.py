"""From sections of the document to modules: the only place that knows both."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import assert_never

from torch import nn

from mmray.config.model.encoder import (
    CnnEncoderConfig,
    CustomEncoderConfig,
    EncoderConfig,
    GruEncoderConfig,
    LeNetEncoderConfig,
    LinearEncoderConfig,
    LstmEncoderConfig,
    MlpEncoderConfig,
    TransformerEncoderConfig,
)
from mmray.config.model.model import ModelConfig
from mmray.config.model.pretrained import PretrainedConfig
from mmray.config.training.weighting import FixedWeightingConfig, WeightingConfig
from mmray.core.kind import Kind
from mmray.core.process.user_code import load_factory
from mmray.core.spec import FeatureSpec
from mmray.errors import located
from mmray.models.encoders.cnn import ImageCnnEncoder, SequenceCnnEncoder
from mmray.models.encoders.frames import (
    FlatFramesStem,
    FramesEncoder,
    PatchFramesTransformerEncoder,
)
from mmray.models.encoders.lenet import LeNet, PixelLeNetEncoder, SpectrumLeNetEncoder
from mmray.models.encoders.linear import LinearEncoder
from mmray.models.encoders.mlp import MlpEncoder
from mmray.models.encoders.pretrained.base import PretrainedEncoder
from mmray.models.encoders.recurrent import RecurrentEncoder
from mmray.models.encoders.standardise import Standardise
from mmray.models.encoders.stem import FlatPixelStem, MeanStem, VectorStem
from mmray.models.encoders.transformer import (
    PatchTransformerEncoder,
    SequenceTransformerEncoder,
    transformer_stack,
)
from mmray.models.fit_check import check_model
from mmray.models.fusion.build import build_fusion, build_head, uses_tokens
from mmray.models.fusion_model import DropRates, FusionModel
from mmray.models.head import AffineHead, HeadSpec, SharedSpace
from mmray.models.task_weighting import build_weighting


def build_model(
    config: ModelConfig,
    encoders: Mapping[str, EncoderConfig],
    specs: Mapping[str, FeatureSpec],
    heads: Mapping[str, int | HeadSpec],
    weighting: WeightingConfig | None = None,
    *,
    saved: Path | None = None,
) -> FusionModel:
    """Build the complete model. ``specs`` is in the order of the M axis.

    ``heads`` has each task's head, or its number of outputs alone. Checkpoints give their weights,
    unless ``saved`` holds what ``save_encoders`` wrote of a model whose weights will be loaded.
    """
    check_model(config, encoders, specs)
    built = {
        name: build_encoder(encoders[name], spec, width=config.width, name=name, saved=saved)
        for name, spec in specs.items()
    }
    # An alignment alone fuses nothing.
    fuses = not heads or any(not isinstance(head, SharedSpace) for head in heads.values())
    fusion = None
    if fuses:
        fusion = build_fusion(config.fusion, modalities=tuple(specs), width=config.width)
    model = FusionModel(
        built,
        fusion,
        {
            task: build_head(
                config.fusion,
                modalities=len(specs),
                width=config.width,
                spec=AffineHead(head) if isinstance(head, int) else head,
            )
            for task, head in heads.items()
        },
        config.width,
        uses_tokens=fuses and uses_tokens(config.fusion),
        rates=DropRates(config.dropout, config.modality_dropout),
    )
    model.weighting = build_weighting(weighting or FixedWeightingConfig(), tasks=len(heads))
    return model


def save_encoders(model: FusionModel, folder: Path) -> None:
    """Write what checkpoints' encoders are built from where the checkpoints are not."""
    for name, encoder in zip(model.modalities, model.encoders, strict=True):
        for module in encoder.modules():
            if isinstance(module, PretrainedEncoder):
                module.settings.save(folder / name)


def build_encoder(
    config: EncoderConfig, spec: FeatureSpec, *, width: int, name: str, saved: Path | None = None
) -> nn.Module:
    """Build the encoder named by ``config.kind``; a custom factory gets spec and width."""
    match config:
        case LinearEncoderConfig():
            stem, size = _vector_stem(spec, width)
            return LinearEncoder(stem, _vector_norm(spec, size), size, width)
        case MlpEncoderConfig():
            stem, size = _vector_stem(spec, width)
            norm = _vector_norm(spec, size)
            return MlpEncoder(stem, norm, size, width, hidden=config.hidden, dropout=config.dropout)
        case LstmEncoderConfig() | GruEncoderConfig():
            return _build_recurrent(config, spec, width)
        case CnnEncoderConfig() | LeNetEncoderConfig():
            return _build_convolutions(config, spec, width)
        case TransformerEncoderConfig():
            return _build_transformer(config, spec, width)
        case PretrainedConfig():
            # Here and not above: transformers is not loaded for those who do not use it.
            from mmray.models.encoders.pretrained.build import build_pretrained

            where, folder = f"modalities.{name}.encode", saved / name if saved else None
            with located(where):
                return build_pretrained(config, spec, width=width, saved=folder)
        case CustomEncoderConfig():
            where = f"modalities.{name}.encode.factory"
            return load_factory(config.factory, where=where)(spec, width, **config.options)
        case _:
            assert_never(config)


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


def _build_recurrent(
    config: LstmEncoderConfig | GruEncoderConfig, spec: FeatureSpec, width: int
) -> nn.Module:
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


def _build_convolutions(
    config: CnnEncoderConfig | LeNetEncoderConfig, spec: FeatureSpec, width: int
) -> nn.Module:
    if isinstance(config, LeNetEncoderConfig):
        return _build_lenet(config, spec, width)
    if spec.layout in ("pixels", "frames"):
        picture = ImageCnnEncoder(config.channels, config.kernel, width, dropout=config.dropout)
        if spec.layout == "pixels":
            return picture
        return FramesEncoder(picture, width, max_steps=spec.shape[0], over_time=config.over_time)
    stem, size = _sequence_stem(spec, config.embedding)
    return SequenceCnnEncoder(
        stem, size, config.channels, kernel=config.kernel, width=width, dropout=config.dropout
    )


def _build_lenet(config: LeNetEncoderConfig, spec: FeatureSpec, width: int) -> nn.Module:
    size = (spec.shape[0], spec.shape[1])
    depth = {"channels": config.channels, "layers": config.layers, "width": width}
    if spec.layout == "pixels":
        return PixelLeNetEncoder(LeNet(size, 3, **depth))
    return SpectrumLeNetEncoder(LeNet(size, 1, **depth), *size)


def _build_transformer(
    config: TransformerEncoderConfig, spec: FeatureSpec, width: int
) -> nn.Module:
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
