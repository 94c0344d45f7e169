"""Which encoder fits which feature. Loads without torch, so that ``mmray check`` is quick."""

from collections.abc import Mapping

from mmray.config.encoder import EncoderConfig, TransformerEncoderConfig
from mmray.config.model import FusionConfig, ModelConfig, TensorFusionConfig
from mmray.core.spec import FeatureSpec, Layout
from mmray.errors import ConfigError

FITTING: dict[Layout, tuple[str, ...]] = {
    "vector": ("linear", "mlp", "custom"),
    "sequence": ("linear", "mlp", "lstm", "gru", "cnn", "transformer", "hf_audio", "custom"),
    "tokens": ("linear", "mlp", "lstm", "gru", "cnn", "transformer", "hf_text", "custom"),
    "pixels": ("linear", "mlp", "cnn", "transformer", "hf_image", "custom"),
    "frames": ("linear", "mlp", "cnn", "transformer", "hf_image", "custom"),
}

MAX_TENSOR_WEIGHTS = 2**25
"""134 MB; training takes four times that."""


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
    """Refuse what does not fit: encoders their features or the width, the fusion the modalities."""
    check_fusion(config.fusion, modalities=len(specs), width=config.width)
    for name, spec in specs.items():
        encoder = encoders[name]
        check_encoder(name, encoder, spec)
        if isinstance(encoder, TransformerEncoderConfig) and config.width % encoder.heads:
            raise ConfigError(
                f"model.width ({config.width}) is not a multiple of heads ({encoder.heads})",
                where=f"modalities.{name}.encode.heads",
                hint="change heads, or model.width",
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
