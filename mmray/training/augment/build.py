"""From the augmentation that the document asks for to steps."""

from collections.abc import Mapping
from pathlib import Path
from typing import assert_never

from jaxtyping import Float
from torch import Tensor

from mmray.config.modality.modality import ModalityConfig
from mmray.config.modality.table import TableConfig
from mmray.config.modality.text import TextConfig, TokensConfig
from mmray.config.training.augment import (
    AugmentConfig,
    ColourAugmentConfig,
    CropAugmentConfig,
    FlipAugmentConfig,
    ResizedCropAugmentConfig,
    SpecAugmentConfig,
    TimeShiftAugmentConfig,
    WordDropoutAugmentConfig,
)
from mmray.errors import located
from mmray.training.augment.augment import Augmentation
from mmray.training.augment.picture import Colour, Crop, Flip, ResizedCrop
from mmray.training.augment.sequence import SpecAugment, TimeShift
from mmray.training.augment.step import AugmentStep
from mmray.training.augment.tokens import WordDropout
from mmray.training.augment.unknown import unknown_and_droppable
from mmray.training.data.samples import ModalityFeatures, Samples
from mmray.training.data.statistics import moments


def build_augmentation(
    modalities: Mapping[str, ModalityConfig], train: Samples, states: Mapping[str, Path | None]
) -> Augmentation:
    """Build the steps of every modality that has some; ``states`` is where tokenizers lie."""
    built: dict[str, list[AugmentStep]] = {}
    for name, features in train.modalities.items():
        modality = modalities[name]
        if isinstance(modality, TableConfig) or not modality.augment:
            continue
        with located(f"modalities.{name}.augment"):
            built[name] = [
                build_step(augment, features, tokenizer=_tokenizer(modality, states[name]))
                for augment in modality.augment
            ]
    return built


def build_step(config: AugmentConfig, features: ModalityFeatures, *, tokenizer: str) -> AugmentStep:
    """Build the step named by ``config.kind``; ``features`` are the train split's."""
    match config:
        case CropAugmentConfig():
            return Crop(config.padding)
        case ResizedCropAugmentConfig():
            return ResizedCrop(config.area, config.ratio)
        case FlipAugmentConfig():
            return Flip(config.probability)
        case ColourAugmentConfig():
            return Colour(config.brightness, config.contrast, config.saturation)
        case SpecAugmentConfig():
            return SpecAugment(
                _mean(features),
                time_masks=config.time_masks,
                time_width=config.time_width,
                time_share=config.time_share,
                frequency_masks=config.frequency_masks,
                frequency_width=config.frequency_width,
            )
        case TimeShiftAugmentConfig():
            return TimeShift(config.share)
        case WordDropoutAugmentConfig():
            spec = features.spec
            unknown, may_drop = unknown_and_droppable(tokenizer, spec.vocabulary)
            return WordDropout(config.probability, unknown, may_drop, spec.shape[0])
        case _:
            assert_never(config)


def _mean(features: ModalityFeatures) -> Float[Tensor, " F"]:
    """Return the mean of each coordinate over all steps of all clips."""
    return moments(features)[0].float()


def _tokenizer(modality: ModalityConfig, state: Path | None) -> str:
    """Return where the tokenizer of a text modality is; empty where there is none."""
    if isinstance(modality, TextConfig) and isinstance(modality.extract, TokensConfig):
        return modality.extract.tokenizer or str(state)
    return ""
