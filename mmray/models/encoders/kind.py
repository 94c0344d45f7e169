"""Every encoder, one record each: its section, the features that it takes, and how it is built.

Loads without torch: what builds imports its modules when it is called.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmray.config.base import StrictModel
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
from mmray.config.model.pretrained import (
    HFAudioEncoderConfig,
    HFImageEncoderConfig,
    HFTextEncoderConfig,
    HFVideoEncoderConfig,
    PretrainedEncoderConfig,
)
from mmray.core.process.user_code import load_factory
from mmray.core.spec import FeatureSpec, Layout
from mmray.errors import ConfigError

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, slots=True)
class EncoderKind:
    """One kind of encoder."""

    config: type[StrictModel]
    takes: tuple[Layout, ...]
    """Layouts of the features that it can take."""
    build: "Callable[[Any, FeatureSpec, int, Path | None], nn.Module]"
    """From section, spec, width and the folder of what a checkpoint's encoder is built from."""
    check: Callable[[Any, FeatureSpec, str], None] | None = None
    """Refuse features whose sizes do not fit; the last argument is the key of the section."""
    check_width: Callable[[Any, int, str], None] | None = None
    """Refuse a width of the model that does not fit."""


def encoder_kind(config: EncoderConfig) -> EncoderKind:
    """Return the record of an encoder's kind."""
    return ENCODER_KINDS[config.kind]


def kinds_for(layout: Layout) -> tuple[str, ...]:
    """Return the kinds that take features of a layout."""
    return tuple(name for name, kind in ENCODER_KINDS.items() if layout in kind.takes)


def _linear(_: LinearEncoderConfig, spec: FeatureSpec, width: int, saved: object) -> "nn.Module":
    from mmray.models.encoders.build import build_linear

    return build_linear(spec, width)


def _mlp(config: MlpEncoderConfig, spec: FeatureSpec, width: int, _: object) -> "nn.Module":
    from mmray.models.encoders.build import build_mlp

    return build_mlp(config, spec, width)


def _recurrent(
    config: LstmEncoderConfig | GruEncoderConfig, spec: FeatureSpec, width: int, _: object
) -> "nn.Module":
    from mmray.models.encoders.build import build_recurrent

    return build_recurrent(config, spec, width)


def _cnn(config: CnnEncoderConfig, spec: FeatureSpec, width: int, _: object) -> "nn.Module":
    from mmray.models.encoders.build import build_cnn

    return build_cnn(config, spec, width)


def _lenet(config: LeNetEncoderConfig, spec: FeatureSpec, width: int, _: object) -> "nn.Module":
    from mmray.models.encoders.build import build_lenet

    return build_lenet(config, spec, width)


def _check_halvings(config: LeNetEncoderConfig, spec: FeatureSpec, where: str) -> None:
    if min(spec.shape[:2]) < 2**config.layers:
        raise ConfigError(
            f"{config.layers} halving layers leave nothing of {spec.describe()}",
            where=f"{where}.layers",
            hint="use fewer layers",
        )


def _transformer(
    config: TransformerEncoderConfig, spec: FeatureSpec, width: int, _: object
) -> "nn.Module":
    from mmray.models.encoders.build import build_transformer

    return build_transformer(config, spec, width)


def _check_patch(config: TransformerEncoderConfig, spec: FeatureSpec, where: str) -> None:
    if spec.layout not in ("pixels", "frames"):
        return
    height, width = spec.shape[-3:-1]
    if height % config.patch or width % config.patch:
        raise ConfigError(
            f"patch ({config.patch}) does not divide {spec.describe()}",
            where=f"{where}.patch",
            hint="choose a patch that divides the height and the width of the picture",
        )


def _check_heads(config: TransformerEncoderConfig, width: int, where: str) -> None:
    if width % config.heads:
        raise ConfigError(
            f"model.width ({width}) is not a multiple of heads ({config.heads})",
            where=f"{where}.heads",
            hint="change heads, or model.width",
        )


def _pretrained(
    config: PretrainedEncoderConfig, spec: FeatureSpec, width: int, saved: Path | None
) -> "nn.Module":
    from mmray.models.encoders.pretrained.build import build_pretrained

    return build_pretrained(config, spec, width=width, saved=saved)


def _custom(config: CustomEncoderConfig, spec: FeatureSpec, width: int, _: object) -> "nn.Module":
    return load_factory(config.factory)(spec, width, **config.options)


EVERY: tuple[Layout, ...] = ("vector", "sequence", "tokens", "pixels", "frames")
STEPS: tuple[Layout, ...] = ("sequence", "tokens")
ENCODER_KINDS: Mapping[str, EncoderKind] = {
    "linear": EncoderKind(LinearEncoderConfig, EVERY, _linear),
    "mlp": EncoderKind(MlpEncoderConfig, EVERY, _mlp),
    "lstm": EncoderKind(LstmEncoderConfig, STEPS, _recurrent),
    "gru": EncoderKind(GruEncoderConfig, STEPS, _recurrent),
    "cnn": EncoderKind(CnnEncoderConfig, (*STEPS, "pixels", "frames"), _cnn),
    "lenet": EncoderKind(LeNetEncoderConfig, ("sequence", "pixels"), _lenet, check=_check_halvings),
    "transformer": EncoderKind(
        TransformerEncoderConfig,
        (*STEPS, "pixels", "frames"),
        _transformer,
        check=_check_patch,
        check_width=_check_heads,
    ),
    "hf_text": EncoderKind(HFTextEncoderConfig, ("tokens",), _pretrained),
    "hf_image": EncoderKind(HFImageEncoderConfig, ("pixels", "frames"), _pretrained),
    "hf_audio": EncoderKind(HFAudioEncoderConfig, ("sequence",), _pretrained),
    "hf_video": EncoderKind(HFVideoEncoderConfig, ("frames",), _pretrained),
    "custom": EncoderKind(CustomEncoderConfig, EVERY, _custom),
}
