"""Which encoder fits which feature. Loads without torch, so that ``mmray check`` is quick."""

from collections.abc import Mapping

from mmray.config.modality.modality import ModalityConfig
from mmray.config.modality.table import TableConfig
from mmray.config.model.encoder import EncoderConfig
from mmray.config.model.model import FusionConfig, ModelConfig, TensorFusionConfig
from mmray.config.training.augment import AugmentConfig, SpecAugmentConfig
from mmray.core.spec import FeatureSpec, Layout
from mmray.errors import ConfigError
from mmray.models.encoders.kind import encoder_kind, kinds_for

AUGMENTED: dict[str, tuple[Layout, ...]] = {
    "crop": ("pixels", "frames"),
    "resized_crop": ("pixels", "frames"),
    "flip": ("pixels", "frames"),
    "colour": ("pixels", "frames"),
    "spec_augment": ("sequence",),
    "time_shift": ("sequence",),
    "word_dropout": ("tokens",),
}

MAX_TENSOR_WEIGHTS = 2**25
"""134 MB; training takes four times that."""


def check_encoder(name: str, config: EncoderConfig, spec: FeatureSpec) -> None:
    """Refuse an encoder that cannot take the features of modality ``name``."""
    where = f"modalities.{name}.encode"
    kind = encoder_kind(config)
    if spec.layout not in kind.takes:
        raise ConfigError(
            f"a {config.kind} encoder cannot take {spec.describe()}",
            where=where,
            hint=f"kinds that fit: {', '.join(kinds_for(spec.layout))}",
        )
    if kind.check is not None:
        kind.check(config, spec, where)


def check_model(
    config: ModelConfig, encoders: Mapping[str, EncoderConfig], specs: Mapping[str, FeatureSpec]
) -> None:
    """Refuse what does not fit: encoders their features or the width, the fusion the modalities."""
    check_fusion(config.fusion, modalities=len(specs), width=config.width)
    for name, spec in specs.items():
        encoder = encoders[name]
        check_encoder(name, encoder, spec)
        check_width = encoder_kind(encoder).check_width
        if check_width is not None:
            check_width(encoder, config.width, f"modalities.{name}.encode")


def check_augment(
    modalities: Mapping[str, ModalityConfig], specs: Mapping[str, FeatureSpec]
) -> None:
    """Refuse augmentation of features that it cannot change."""
    for name, spec in specs.items():
        modality = modalities[name]
        if isinstance(modality, TableConfig):
            continue
        for index, augment in enumerate(modality.augment):
            _check_step(augment, spec, f"modalities.{name}.augment.{index}")


def _check_step(augment: AugmentConfig, spec: FeatureSpec, where: str) -> None:
    if spec.layout not in AUGMENTED[augment.kind]:
        raise ConfigError(
            f"{augment.kind} cannot change {spec.describe()}",
            where=where,
            hint=f"it takes {' or '.join(AUGMENTED[augment.kind])}; take it out, or extract those",
        )
    if not isinstance(augment, SpecAugmentConfig) or not augment.frequency_masks:
        return
    if augment.frequency_width >= spec.shape[1]:
        raise ConfigError(
            f"frequency_width ({augment.frequency_width}) could hide all of {spec.describe()}",
            where=f"{where}.frequency_width",
            hint=f"set it below {spec.shape[1]}, or frequency_masks to 0",
        )


def check_fusion(config: FusionConfig, *, modalities: int, width: int) -> None:
    """Refuse a tensor fusion whose weights would be too many."""
    if not isinstance(config, TensorFusionConfig):
        return
    products = (config.size + 1) ** modalities
    if products * width > MAX_TENSOR_WEIGHTS:
        raise ConfigError(
            f"tensor fusion of {modalities} modalities has ({config.size} + 1) ** {modalities} = "
            f"{products:,} products, with a width of {width} {products * width:,} weights; at most "
            f"{MAX_TENSOR_WEIGHTS:,} are allowed",
            where="model.fusion.size",
            hint="lower size, or use 'low_rank', which has the same products at far fewer weights",
        )
