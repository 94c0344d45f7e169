"""From the document to an encoder around a checkpoint; loads transformers."""

from pathlib import Path
from typing import assert_never

from torch import nn

from mmray.config.model.pretrained import (
    HFAudioEncoderConfig,
    HFImageEncoderConfig,
    HFTextEncoderConfig,
    HFVideoEncoderConfig,
    PretrainedConfig,
    PretrainedEncoderConfig,
)
from mmray.core.spec import FeatureSpec
from mmray.models.encoders.frames import FramesEncoder
from mmray.models.encoders.pretrained.audio import build_audio_encoder
from mmray.models.encoders.pretrained.base import PretrainedEncoder
from mmray.models.encoders.pretrained.image import build_image_encoder
from mmray.models.encoders.pretrained.lora import Lora
from mmray.models.encoders.pretrained.text import build_text_encoder
from mmray.models.encoders.pretrained.tuning import Tuning
from mmray.models.encoders.pretrained.video import build_video_encoder


def build_pretrained(
    config: PretrainedEncoderConfig,
    spec: FeatureSpec,
    *,
    width: int,
    saved: Path | None,
) -> nn.Module:
    """Build the encoder; with ``saved`` of the settings there, and its weights are to come."""
    encoder = _build(config, spec, width=width, saved=saved)
    for module in encoder.modules() if saved is None else ():
        if isinstance(module, PretrainedEncoder):
            module.train_fresh_statistics(config.model)
    return encoder


def _build(
    config: PretrainedEncoderConfig, spec: FeatureSpec, *, width: int, saved: Path | None
) -> nn.Module:
    tuning = tuning_of(config)
    match config:
        case HFTextEncoderConfig(model=model, pooling=pooling):
            return build_text_encoder(
                model, spec, pooling=pooling, width=width, tuning=tuning, saved=saved
            )
        case HFImageEncoderConfig(model=model, pooling=pooling):
            picture = build_image_encoder(
                model, spec, pooling=pooling, width=width, tuning=tuning, saved=saved
            )
            if spec.layout == "pixels":
                return picture
            return FramesEncoder(
                picture, width, max_steps=spec.shape[0], over_time=config.over_time
            )
        case HFAudioEncoderConfig(model=model, pooling=pooling):
            return build_audio_encoder(
                model, pooling=pooling, width=width, tuning=tuning, saved=saved
            )
        case HFVideoEncoderConfig(model=model):
            return build_video_encoder(model, spec, width=width, tuning=tuning, saved=saved)
        case _:
            assert_never(config)


def tuning_of(config: PretrainedConfig) -> Tuning:
    """Return what is trained of the checkpoint."""
    lora = config.lora
    return Tuning(
        tune=config.tune,
        layers=config.layers,
        lora=Lora(lora.rank, lora.alpha, lora.dropout, lora.target),
        lr=config.peak_lr,
        layer_decay=config.layer_decay,
        gradient_checkpointing=config.gradient_checkpointing,
    )
