"""What audio features will look like, told without data, torch or transformers."""

from dataclasses import replace
from typing import assert_never

from mmray.config.modality.audio import (
    AudioConfig,
    AudioDecodeConfig,
    CustomAudioExtract,
    HFAudioConfig,
    LogMelConfig,
    MfccConfig,
    TranscriptConfig,
    WaveformConfig,
)
from mmray.config.modality.text import TextConfig
from mmray.core.kind import Kind
from mmray.core.spec import FeatureSpec
from mmray.errors import ConfigError
from mmray.features.audio.family import (
    Family,
    check_decoding,
    check_text_length,
    read_family,
    told_width,
)
from mmray.features.audio.yamnet_plan import patches_of
from mmray.features.custom import load_custom
from mmray.features.text.spec import text_spec


def audio_spec(config: AudioConfig) -> FeatureSpec:
    """Return the spec that the built extractor will keep.

    A checkpoint that does not fit the decoding is a ConfigError.
    """
    match config.extract:
        case MfccConfig() | LogMelConfig() as extract:
            size = config.decode.segment_size
            frames = None if size is None else 1 + size // extract.hop
            width = extract.width * (2 if extract.pooling == "statistics" else 1)
            if extract.pooling == "sequence":
                return _sequence(config.decode, frames, extract.max_frames, width)
            return _vector(config.decode, width)
        case WaveformConfig() as extract:
            return _sequence(config.decode, config.decode.segment_size, extract.max_samples, 1)
        case HFAudioConfig() as extract:
            return _hf_spec(config.decode, extract)
        case TranscriptConfig() as extract:
            check_recogniser(config, extract)
            return replace(text_spec(inner_text(extract)), kind=Kind.AUDIO)
        case CustomAudioExtract() as extract:
            return load_custom(extract.factory, extract.options, Kind.AUDIO).spec
        case _:
            assert_never(config.extract)


def check_recogniser(config: AudioConfig, extract: TranscriptConfig) -> None:
    """Refuse a checkpoint that the decoding, or the length of its texts, does not fit."""
    family = read_family(extract.model)
    check_decoding(family, config.decode, extract.model)
    check_text_length(family, extract.max_new_tokens, extract.model)


def inner_text(extract: TranscriptConfig) -> TextConfig:
    """Return the text modality that a transcript is the payload of."""
    return TextConfig(column="transcript", clean=extract.text.clean, extract=extract.text.extract)


def _hf_spec(decode: AudioDecodeConfig, extract: HFAudioConfig) -> FeatureSpec:
    family = read_family(extract.model)
    check_decoding(family, decode, extract.model)
    width = told_width(family, extract.dim, extract.model)
    if extract.pooling == "sequence":
        frames = _frames(family, decode.segment_size)
        return _sequence(decode, frames, extract.max_frames, width)
    if extract.pooling == "pooled" and not family.has_pooled:
        raise ConfigError(
            f"checkpoint {extract.model!r} has no pooled output",
            hint="set extract.pooling to mean or sequence",
        )
    return _vector(decode, width)


def _frames(family: Family, segment_size: int | None) -> int | None:
    if segment_size is None:
        return family.frames
    match family.name:
        case "waveform":
            return family.frames_of(max(segment_size, family.shortest))
        case "yamnet":
            return patches_of(segment_size)
        case _:
            return family.frames


def _sequence(
    decode: AudioDecodeConfig, frames: int | None, max_frames: int, width: int
) -> FeatureSpec:
    """Frames of all segments, end to end; ``frames`` is how many one segment has, where known."""
    segments = decode.max_segments if decode.has_many_segments else 1
    longest = max_frames if frames is None else min(max_frames, frames * segments)
    return FeatureSpec(Kind.AUDIO, "sequence", (longest, width), "float32")


def _vector(decode: AudioDecodeConfig, width: int) -> FeatureSpec:
    """One vector per clip, or one per segment."""
    if decode.has_many_segments and decode.combine == "sequence":
        return FeatureSpec(Kind.AUDIO, "sequence", (decode.max_segments, width), "float32")
    return FeatureSpec(Kind.AUDIO, "vector", (width,), "float32")
