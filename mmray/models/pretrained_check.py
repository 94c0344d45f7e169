"""Whether a checkpoint fits the features that it is to be trained on. Loads without torch."""

from collections.abc import Mapping
from typing import Any

from mmray.config.modality.audio import AudioConfig, TranscriptConfig, WaveformConfig
from mmray.config.modality.modality import ModalityConfig
from mmray.config.modality.text import TokensConfig
from mmray.config.model.pretrained import (
    HFAudioEncoderConfig,
    HFImageEncoderConfig,
    HFTextEncoderConfig,
    HFVideoEncoderConfig,
    PretrainedConfig,
)
from mmray.core.kind import Kind
from mmray.core.spec import FeatureSpec
from mmray.errors import ConfigError, located
from mmray.features.audio.checkpoint.family import check_decoding, read_family
from mmray.features.checkpoints.checkpoint import read_checkpoint_config
from mmray.features.checkpoints.kind import check_kind
from mmray.features.checkpoints.statistics import (
    has_fresh_statistics,
    refuse_fresh_statistics,
)
from mmray.features.image.shape import picture_size, vision_config
from mmray.features.text.position import LAYERS, check_positions, text_settings
from mmray.features.text.tokenizer import load_ready, vocabulary_size
from mmray.features.video.checkpoint import read_video_checkpoint

_ANY_SIZE = (
    "resnet", "convnext", "convnextv2", "mobilenet_v1", "mobilenet_v2", "efficientnet", "regnet",
    "bit", "hgnet_v2",
)  # fmt: skip
"""Families of convolutions alone, which take pictures of any size."""
_GROUPS = "num_hidden_groups"
"""Of ALBERT, whose layers share their weights: that many are trained."""


def check_pretrained(
    modalities: Mapping[str, ModalityConfig], specs: Mapping[str, FeatureSpec]
) -> None:
    """Refuse a checkpoint that was made for other ids, pictures or waveforms, or is too shallow."""
    for name, spec in specs.items():
        modality = modalities[name]
        match modality.encode:
            case HFTextEncoderConfig() as encode:
                _check_text(name, modality, encode, spec)
            case HFImageEncoderConfig() as encode:
                _check_image(name, encode, spec)
            case HFAudioEncoderConfig() as encode:
                _check_audio(name, modality, encode, spec)
            case HFVideoEncoderConfig() as encode:
                _check_video(name, encode, spec)
            case _:
                pass


def _check_text(
    name: str, modality: ModalityConfig, encode: HFTextEncoderConfig, spec: FeatureSpec
) -> None:
    model, tokenizer = encode.model, tokenizer_of(modality)
    if tokenizer is None or not _is_same_tokenizer(tokenizer, model):
        raise ConfigError(
            f"checkpoint {model!r} takes only the ids of its own tokenizer, not of "
            + ("one that is trained here" if tokenizer is None else repr(tokenizer)),
            where=f"modalities.{name}.extract.tokenizer",
            hint=f"set extract to {{kind: tokens, tokenizer: {model}}}",
        )
    checkpoint = read_checkpoint_config(model)
    with located(f"modalities.{name}.encode.model"):
        check_kind(checkpoint, Kind.TEXT, model)
    settings = text_settings(checkpoint)
    with located(f"modalities.{name}.extract.max_tokens"):
        check_positions(model, settings, spec.shape[0])
    known = settings.get("vocab_size")
    if isinstance(known, int) and vocabulary_size(load_ready(model), 0) > known:
        raise ConfigError(
            f"the tokenizer of {model!r} has more tokens than the {known} that the network has",
            where=f"modalities.{name}.encode.model",
            hint="tokenizer.json and config.json belong to different models",
        )
    _check_layers(name, encode, settings)


def tokenizer_of(modality: ModalityConfig) -> str | None:
    """Return the ready tokenizer of a text, or of recognised speech, if any."""
    extract = modality.extract
    if isinstance(extract, TranscriptConfig):
        extract = extract.text.extract
    return extract.tokenizer if isinstance(extract, TokensConfig) else None


def _is_same_tokenizer(one: str, other: str) -> bool:
    return one == other or load_ready(one).to_str() == load_ready(other).to_str()


def _check_image(name: str, encode: HFImageEncoderConfig, spec: FeatureSpec) -> None:
    with located(f"modalities.{name}.encode.model"):
        settings = vision_config(encode.model)
        if encode.tune != "full" and has_fresh_statistics(encode.model):
            refuse_fresh_statistics(encode.model, encode.tune)
    _check_layers(name, encode, settings)
    told = picture_size(encode.model)
    if settings.get("model_type") not in _ANY_SIZE and told is not None:
        _check_size(name, encode, spec, told)


def _check_video(name: str, encode: HFVideoEncoderConfig, spec: FeatureSpec) -> None:
    with located(f"modalities.{name}.encode.model"):
        checkpoint = read_video_checkpoint(encode.model)
        if checkpoint.tubelet is not None:
            raise ConfigError(
                f"checkpoint {encode.model!r} cannot be trained with the fusion",
                hint="use it frozen: extract: {kind: hf_video, model: ...}",
            )
    told = checkpoint.preprocess.output
    if told is not None:
        _check_size(name, encode, spec, told)
    _check_layers(name, encode, read_checkpoint_config(encode.model))


def _check_size(
    name: str, encode: PretrainedConfig, spec: FeatureSpec, told: tuple[int, int]
) -> None:
    given = spec.shape[-3:-1]
    if told != given:
        raise ConfigError(
            f"checkpoint {encode.model!r} takes pictures of {told[0]} x {told[1]}, not of "
            f"{given[0]} x {given[1]}",
            where=f"modalities.{name}.extract",
            hint=f"set extract.height to {told[0]} and extract.width to {told[1]}",
        )


def _check_audio(
    name: str, modality: ModalityConfig, encode: HFAudioEncoderConfig, spec: FeatureSpec
) -> None:
    if not isinstance(modality, AudioConfig) or not isinstance(modality.extract, WaveformConfig):
        raise ConfigError(
            f"an hf_audio encoder takes samples, not what {modality.extract.kind} gives",
            where=f"modalities.{name}.extract.kind",
            hint="set extract to {kind: waveform}",
        )
    with located(f"modalities.{name}.encode.model"):
        family = read_family(encode.model)
        if family.name not in ("waveform", "whisper"):
            raise ConfigError(
                f"checkpoint {encode.model!r} takes no waveform",
                hint="wav2vec 2, HuBERT, WavLM and Whisper can be trained; frozen, under extract, "
                "there are more",
            )
    with located(f"modalities.{name}.decode.sample_rate_hz"):
        check_decoding(family, modality.decode, encode.model)
    longest = None if family.longest_s is None else round(family.longest_s * family.rate_hz)
    if longest is not None and spec.shape[0] > longest:
        raise ConfigError(
            f"checkpoint {encode.model!r} takes {longest} samples, not {spec.shape[0]}",
            where=f"modalities.{name}.extract.max_samples",
            hint=f"set it to {longest}, or less for speed",
        )
    _check_layers(name, encode, read_checkpoint_config(encode.model))


def _check_layers(name: str, encode: PretrainedConfig, settings: Mapping[str, Any]) -> None:
    """Refuse to train more layers than config.json states."""
    count = _count_layers(settings)
    if encode.tune == "last_layers" and count is not None and encode.layers > count:
        raise ConfigError(
            f"checkpoint {encode.model!r} has {count} layers, not {encode.layers}",
            where=f"modalities.{name}.encode.layers",
            hint=f"set it to {count} or less",
        )


def num_layers(encode: PretrainedConfig) -> int | None:
    """Return the number of layers that a checkpoint's config.json states, if it does."""
    match encode:
        case HFTextEncoderConfig():
            return _count_layers(text_settings(read_checkpoint_config(encode.model)))
        case HFImageEncoderConfig():
            return _count_layers(vision_config(encode.model))
        case _:
            return _count_layers(read_checkpoint_config(encode.model))


def _count_layers(settings: Mapping[str, Any]) -> int | None:
    stages = settings.get("depths")
    told = (settings.get(key) for key in (_GROUPS, *LAYERS))
    return len(stages) if stages else next((n for n in told if isinstance(n, int)), None)
