"""What a modality's features will look like, told without data, torch or transformers."""

from typing import Any, assert_never

from mmray.config.modality import (
    AudioConfig,
    BowConfig,
    CustomAudioExtract,
    CustomImageExtract,
    CustomTextExtract,
    HFImageConfig,
    HFTextConfig,
    ImageConfig,
    MfccConfig,
    ModalityConfig,
    PixelsConfig,
    TextConfig,
    TokensConfig,
)
from mmray.core.spec import FeatureSpec
from mmray.core.word import Kind
from mmray.errors import ConfigError
from mmray.features.checkpoint import read_checkpoint_config
from mmray.features.custom import load_custom
from mmray.features.tokenizer import ready_vocabulary_size


def spec_of(config: ModalityConfig) -> FeatureSpec:
    """Return the spec that the built extractor will keep."""
    match config:
        case TextConfig():
            return _text_spec(config)
        case ImageConfig():
            return _image_spec(config)
        case AudioConfig():
            return _audio_spec(config)
        case _:
            assert_never(config)


def _text_spec(config: TextConfig) -> FeatureSpec:
    match config.extract:
        case TokensConfig() as extract:
            ready = extract.tokenizer
            size = extract.vocabulary if ready is None else ready_vocabulary_size(ready)
            return FeatureSpec(Kind.TEXT, "tokens", (extract.max_tokens,), "int32", size)
        case BowConfig() as extract:
            return FeatureSpec(Kind.TEXT, "vector", (extract.vocabulary,), "float32")
        case HFTextConfig() as extract:
            width = _text_width(extract)
            if extract.pooling == "sequence":
                shape = (extract.max_tokens, width)
                return FeatureSpec(Kind.TEXT, "sequence", shape, "float32")
            return FeatureSpec(Kind.TEXT, "vector", (width,), "float32")
        case CustomTextExtract() as extract:
            return load_custom(extract.factory, extract.options, Kind.TEXT).spec
        case _:
            assert_never(config.extract)


def _image_spec(config: ImageConfig) -> FeatureSpec:
    match config.extract:
        case PixelsConfig() as extract:
            return FeatureSpec(Kind.IMAGE, "pixels", (extract.height, extract.width, 3), "uint8")
        case HFImageConfig() as extract:
            return FeatureSpec(Kind.IMAGE, "vector", (_image_width(extract),), "float32")
        case CustomImageExtract() as extract:
            return load_custom(extract.factory, extract.options, Kind.IMAGE).spec
        case _:
            assert_never(config.extract)


def _audio_spec(config: AudioConfig) -> FeatureSpec:
    match config.extract:
        case MfccConfig(coefficients=size, pooling="sequence") as extract:
            shape = (_max_frames(config, extract), size)
            return FeatureSpec(Kind.AUDIO, "sequence", shape, "float32")
        case MfccConfig(coefficients=size, pooling=pooling):
            width = size if pooling == "mean" else 2 * size
            return FeatureSpec(Kind.AUDIO, "vector", (width,), "float32")
        case CustomAudioExtract() as extract:
            return load_custom(extract.factory, extract.options, Kind.AUDIO).spec
        case _:
            assert_never(config.extract)


def _max_frames(config: AudioConfig, extract: MfccConfig) -> int:
    if config.decode.segment_s is None:
        return extract.max_frames
    samples = max(1, round(config.decode.segment_s * config.decode.sample_rate_hz))
    return min(extract.max_frames, 1 + samples // extract.hop)


def _text_width(extract: HFTextConfig) -> int:
    checkpoint = read_checkpoint_config(extract.model)
    limit = checkpoint.get("max_position_embeddings")
    if isinstance(limit, int) and 0 < limit < extract.max_tokens:
        raise ConfigError(
            f"max_tokens ({extract.max_tokens}) is more than {extract.model!r} has positions for",
            hint=f"set max_tokens to {limit} or less",
        )
    told = (checkpoint.get(key) for key in ("hidden_size", "d_model", "dim", "n_embd"))
    return extract.dim or _first_width(told, extract.model)


def _image_width(extract: HFImageConfig) -> int:
    checkpoint = read_checkpoint_config(extract.model)
    if extract.dim:
        return extract.dim
    scale = checkpoint.get("depth_multiplier", 1.0)
    match checkpoint.get("model_type"):
        case "mobilenet_v1":
            return max(int(1024 * scale), checkpoint.get("min_depth", 8))
        case "mobilenet_v2":
            return _mobilenet_v2_width(checkpoint, scale)
        case "clip" | "siglip":
            checkpoint = checkpoint.get("vision_config", {})
        case _:
            pass
    stages = checkpoint.get("hidden_sizes") or [None]
    told = (checkpoint.get("hidden_size"), stages[-1], checkpoint.get("hidden_dim"))
    return _first_width(told, extract.model)


def _mobilenet_v2_width(checkpoint: dict[str, Any], scale: float) -> int:
    if checkpoint.get("finegrained_output", True) and scale < 1.0:
        return 1280
    divisor = checkpoint.get("depth_divisible_by", 8)
    wanted = round(1280 * scale)
    width = max(checkpoint.get("min_depth", 8), int(wanted + divisor / 2) // divisor * divisor)
    return width + divisor if width < 0.9 * wanted else width


def _first_width(told: Any, model: str) -> int:  # noqa: ANN401 (whatever JSON says)
    for width in told:
        if isinstance(width, int) and width > 0:
            return width
    raise ConfigError(
        f"the config.json of checkpoint {model!r} does not tell how wide its output is",
        hint="set extract.dim to the width of the pooled output",
    )
