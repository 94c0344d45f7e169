"""Augmentation: random changes to the features of the train split, new in every epoch."""

from typing import Annotated, Literal, Self

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from mmray.config.base import Fraction, StrictModel

Share = Annotated[float, Field(gt=0.0, le=1.0)]
Strength = Annotated[float, Field(ge=0.0, le=1.0)]


class CropAugmentConfig(StrictModel):
    """A crop of the picture's size, at a random position of the picture padded with black."""

    kind: Literal["crop"] = "crop"
    padding: PositiveInt = 4
    """Pixels of black on every side."""


class ResizedCropAugmentConfig(StrictModel):
    """A crop of random size and shape, enlarged to the picture's size (Szegedy 2015)."""

    kind: Literal["resized_crop"] = "resized_crop"
    area: tuple[Share, Share] = (0.5, 1.0)
    """Smallest and largest share of the picture."""
    ratio: tuple[PositiveFloat, PositiveFloat] = (3 / 4, 4 / 3)
    """Smallest and largest width over height, in the picture's own shape."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        for name in ("area", "ratio"):
            low, high = getattr(self, name)
            if low > high:
                raise ValueError(f"{name} ({low}, {high}) must be smallest, then largest")
        return self


class FlipAugmentConfig(StrictModel):
    """Left and right swapped."""

    kind: Literal["flip"] = "flip"
    probability: Share = 0.5
    """Share of the samples that are flipped."""


class ColourAugmentConfig(StrictModel):
    """Brightness, contrast and saturation, in this order, each times a factor in 1 - x to 1 + x."""

    kind: Literal["colour"] = "colour"
    brightness: Strength = 0.2
    """Largest change of brightness, as a share."""
    contrast: Strength = 0.2
    """Largest change of contrast, as a share."""
    saturation: Strength = 0.2
    """Largest change of saturation, as a share."""


class SpecAugmentConfig(StrictModel):
    """Steps and coordinates replaced by the train split's mean (Park 2019, without warping)."""

    kind: Literal["spec_augment"] = "spec_augment"
    time_masks: NonNegativeInt = 2
    """Number of masked spans of time."""
    time_width: PositiveInt = 20
    """Most steps that one mask hides."""
    time_share: Share = 0.2
    """Largest share of a clip that one mask hides."""
    frequency_masks: NonNegativeInt = 2
    """Number of masked bands of frequency."""
    frequency_width: PositiveInt = 8
    """Most coordinates that one mask hides."""


class TimeShiftAugmentConfig(StrictModel):
    """A clip rotated in time: the part that leaves at one end enters at the other."""

    kind: Literal["time_shift"] = "time_shift"
    share: Share = 0.1
    """Largest shift, as a share of the clip."""


class WordDropoutAugmentConfig(StrictModel):
    """Tokens replaced by the unknown token; special tokens stay."""

    kind: Literal["word_dropout"] = "word_dropout"
    probability: Fraction = 0.1
    """Share of the tokens that are replaced."""


PictureAugmentConfig = Annotated[
    CropAugmentConfig | ResizedCropAugmentConfig | FlipAugmentConfig | ColourAugmentConfig,
    Field(discriminator="kind"),
]
SequenceAugmentConfig = Annotated[
    SpecAugmentConfig | TimeShiftAugmentConfig, Field(discriminator="kind")
]
AugmentConfig = PictureAugmentConfig | SequenceAugmentConfig | WordDropoutAugmentConfig
