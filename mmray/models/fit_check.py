"""Which encoder fits which feature. Loads without torch, so that ``mmray check`` is quick."""

from collections.abc import Mapping

from mmray.config.encoder import EncoderConfig, TransformerEncoderConfig
from mmray.config.model import ModelConfig
from mmray.core.spec import FeatureSpec, Layout
from mmray.errors import ConfigError

FITTING: dict[Layout, tuple[str, ...]] = {
    "vector": ("linear", "mlp", "custom"),
    "sequence": ("linear", "mlp", "lstm", "cnn", "transformer", "custom"),
    "tokens": ("linear", "mlp", "lstm", "cnn", "transformer", "custom"),
    "pixels": ("linear", "mlp", "cnn", "transformer", "custom"),
    "frames": ("linear", "mlp", "cnn", "transformer", "custom"),
}


def check_encoder(name: str, config: EncoderConfig, spec: FeatureSpec) -> None:
    """Refuse an encoder that cannot take the features of modality ``name``."""
    where = f"modalities.{name}.encode"
    if config.kind not in FITTING[spec.layout]:
        raise ConfigError(
            f"a {config.kind} encoder cannot take {spec.describe()}",
            where=where,
            hint=f"kinds that fit: {', '.join(FITTING[spec.layout])}",
        )
    if isinstance(config, TransformerEncoderConfig) and spec.layout in ("pixels", "frames"):
        height, width = spec.shape[-3:-1]
        if height % config.patch or width % config.patch:
            raise ConfigError(
                f"patch ({config.patch}) does not divide {spec.describe()}",
                where=f"{where}.patch",
                hint="choose a patch that divides the height and the width of the picture",
            )


def check_model(
    config: ModelConfig, encoders: Mapping[str, EncoderConfig], specs: Mapping[str, FeatureSpec]
) -> None:
    """Refuse encoders that fit neither their features nor the width of the model."""
    for name, spec in specs.items():
        encoder = encoders[name]
        check_encoder(name, encoder, spec)
        if isinstance(encoder, TransformerEncoderConfig) and config.width % encoder.heads:
            raise ConfigError(
                f"model.width ({config.width}) is not a multiple of heads ({encoder.heads})",
                where=f"modalities.{name}.encode.heads",
                hint="change heads, or model.width",
            )
