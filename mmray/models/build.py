"""From sections of the document to modules: the only place that knows both."""

from collections.abc import Mapping
from pathlib import Path

from torch import nn

from mmray.config.model.encoder import EncoderConfig
from mmray.config.model.model import ModelConfig
from mmray.config.training.weighting import FixedWeightingConfig, WeightingConfig
from mmray.core.spec import FeatureSpec
from mmray.errors import located
from mmray.models.encoders.kind import encoder_kind
from mmray.models.encoders.pretrained.base import PretrainedEncoder
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
    with located(f"modalities.{name}.encode"):
        folder = saved / name if saved else None
        return encoder_kind(config).build(config, spec, width, folder)
