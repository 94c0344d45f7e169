"""The inputs and outputs of an audio checkpoint, read from its JSON files alone.

Axes: S samples, T frames, F feature.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from mmray.config.modality.audio import AudioDecodeConfig
from mmray.core.kind import Kind
from mmray.errors import ConfigError
from mmray.features.checkpoints.checkpoint import (
    find_file,
    first_width,
    read_checkpoint_config,
    read_checkpoint_file,
)
from mmray.features.checkpoints.kind import check_kind

Name = Literal["waveform", "whisper", "ast", "clap", "yamnet", "other"]
Json = Mapping[str, Any]

_FAMILIES: dict[str, Name] = {
    "wav2vec2": "waveform", "hubert": "waveform", "wavlm": "waveform",
    "unispeech": "waveform", "unispeech-sat": "waveform", "data2vec-audio": "waveform",
    "whisper": "whisper", "audio-spectrogram-transformer": "ast",
    "clap": "clap", "clap_audio_model": "clap",
}  # fmt: skip
_START_TOKENS = 4
"""Whisper's own, before the text: start, language, task, no timestamps."""


@dataclass(frozen=True, slots=True)
class Family:
    """One checkpoint, as far as its features depend on it."""

    name: Name
    rate_hz: int
    width: int
    """Size of a hidden state and of the pooled output (F); 0 if the checkpoint does not say."""
    has_pooled: bool
    """Whether the model has a pooled output of its own."""
    longest_s: float | None
    """What comes after this in a segment would be cut away by the checkpoint's preprocessing."""
    frames: int | None
    """Hidden states (T) of any segment, where that does not depend on the segment."""
    convolutions: tuple[tuple[int, int], ...] = ()
    """Kernel and stride of what turns a waveform into frames; those of AST are then patched."""
    is_masked: bool = False
    """Whether padding can be hidden from the model, so that lengths may be mixed in a batch."""

    def frames_of(self, samples: int) -> int:
        """Return how many hidden states a waveform of ``samples`` becomes."""
        for kernel, stride in self.convolutions:
            samples = max(0, (samples - kernel) // stride + 1)
        return samples

    @property
    def shortest(self) -> int:
        """Samples of the shortest waveform that becomes one frame."""
        needed = 1
        for kernel, stride in reversed(self.convolutions):
            needed = (needed - 1) * stride + kernel
        return needed


def read_family(model: str) -> Family:
    """Read config.json and preprocessor_config.json of a checkpoint."""
    config = read_checkpoint_config(model)
    kind = config.get("model_type", "")
    if kind == "mobilenet_v1" and config.get("num_channels") == 1:
        width = max(int(1024 * config.get("depth_multiplier", 1.0)), config.get("min_depth", 8))
        return Family("yamnet", 16_000, width, True, None, None)
    check_kind(config, Kind.AUDIO, model)
    front = _read_front(model)
    match _FAMILIES.get(kind, "other"):
        case "waveform":
            return _waveform(config, front)
        case "whisper":
            return _whisper(config, front, model)
        case "ast":
            return _ast(config, front, model)
        case "clap":
            return _clap(config.get("audio_config", config), front, model)
        case _:
            told = (config.get(key) for key in ("hidden_size", "d_model", "dim"))
            width = next((width for width in told if isinstance(width, int)), 0)
            return Family("other", front.get("sampling_rate", 16_000), width, True, None, None)


def check_decoding(family: Family, decode: AudioDecodeConfig, model: str) -> None:
    """Refuse a sample rate or a length of segments that the checkpoint was not made for."""
    if decode.sample_rate_hz != family.rate_hz:
        raise ConfigError(
            f"decode.sample_rate_hz is {decode.sample_rate_hz}, but checkpoint {model!r} was"
            f" trained at {family.rate_hz}",
            hint=f"set decode.sample_rate_hz to {family.rate_hz}",
        )
    if family.longest_s is not None and decode.longest_s > family.longest_s + 1e-6:
        limit = f"{family.longest_s:g}"
        raise ConfigError(
            f"a segment may last {decode.longest_s:g} s, but checkpoint {model!r} takes only the"
            f" first {limit} s of it",
            hint=f"set decode.segment_s to {limit}, or decode.windows to {{length_s: {limit},"
            f" hop_s: {limit}}}, or decode.max_duration_s to {limit}",
        )


def check_text_length(family: Family, max_new_tokens: int, model: str) -> None:
    """Refuse to recognise more tokens in a segment than a Whisper has positions for."""
    if family.name != "whisper":
        return
    limit = read_checkpoint_config(model).get("max_target_positions", 448) - _START_TOKENS
    if max_new_tokens > limit:
        raise ConfigError(
            f"max_new_tokens ({max_new_tokens}) is more than {model!r} has positions for",
            hint=f"set extract.max_new_tokens to {limit} or less",
        )


def told_width(family: Family, dim: int | None, model: str) -> int:
    """Return the width of the features; a ConfigError if it is unknown."""
    return dim or first_width((family.width,), model)


def _read_front(model: str) -> Json:
    """Return the settings of the checkpoint's feature extractor, where transformers looks first."""
    path = find_file(model, "processor_config.json")
    nested = read_checkpoint_file(path, model) if path else {}
    for key in ("feature_extractor", "audio_processor"):
        if key in nested:
            return nested[key]
    path = find_file(model, "preprocessor_config.json")
    if path is None:
        raise ConfigError(
            f"checkpoint {model!r} has no preprocessor_config.json",
            hint="an audio checkpoint states its sample rate there",
        )
    return read_checkpoint_file(path, model)


def _waveform(config: Json, front: Json) -> Family:
    kernels = config.get("conv_kernel", (10, 3, 3, 3, 3, 2, 2))
    strides = config.get("conv_stride", (5, 2, 2, 2, 2, 2, 2))
    has_adapter = bool(config.get("add_adapter"))
    width = config.get("output_hidden_size" if has_adapter else "hidden_size", 0)
    # Group norm averages over time, padding included, whatever the mask says.
    is_masked = config.get("feat_extract_norm") == "layer" and not has_adapter
    return Family(
        "waveform",
        front.get("sampling_rate", 16_000),
        width,
        has_pooled=False,
        longest_s=None,
        frames=None,
        convolutions=tuple(zip(kernels, strides, strict=True)),
        is_masked=is_masked,
    )


def _whisper(config: Json, front: Json, model: str) -> Family:
    _check_bins(config.get("num_mel_bins", 80), front.get("feature_size", 80), model)
    rate_hz = front.get("sampling_rate", 16_000)
    frames = config.get("max_source_positions", 1500)
    seconds = front.get("chunk_length", 30)
    hops = seconds * rate_hz / front.get("hop_length", 160)
    if hops != 2 * frames:
        raise ConfigError(
            f"checkpoint {model!r} has {frames} positions, but its preprocessing gives {hops:g}"
            " frames for two each",
            hint="config.json and preprocessor_config.json belong to different models",
        )
    return Family("whisper", rate_hz, config.get("d_model", 0), False, seconds, frames)


def _ast(config: Json, front: Json, model: str) -> Family:
    _check_bins(config.get("num_mel_bins", 128), front.get("num_mel_bins", 128), model)
    length = config.get("max_length", 1024)
    if length != front.get("max_length", 1024):
        raise ConfigError(
            f"checkpoint {model!r} was built for {length} frames, but its preprocessing gives"
            f" {front.get('max_length', 1024)}",
            hint="config.json and preprocessor_config.json belong to different models",
        )
    patch = config.get("patch_size", 16)
    rows = (config.get("num_mel_bins", 128) - patch) // config.get("frequency_stride", 10) + 1
    columns = (length - patch) // config.get("time_stride", 10) + 1
    # Frames of 25 ms, 10 ms apart.
    longest_s = 0.025 + 0.01 * (length - 1)
    rate_hz, width = front.get("sampling_rate", 16_000), config.get("hidden_size", 0)
    frame = ((round(0.025 * rate_hz), round(0.01 * rate_hz)),)
    return Family("ast", rate_hz, width, True, longest_s, 2 + rows * columns, frame)


def _clap(config: Json, front: Json, model: str) -> Family:
    _check_bins(config.get("num_mel_bins", 64), front.get("feature_size", 64), model)
    stages = len(config.get("depths", (2, 2, 6, 2)))
    width = config.get("patch_embeds_hidden_size", 96) * 2 ** (stages - 1)
    size, stride = config.get("spec_size", 256), config.get("patch_stride", (4, 4))[0]
    # A spectrogram is folded into a square; of its rows each group is a later part of the clip.
    side = size // 2 ** (stages - 1) // stride
    folds = size // config.get("num_mel_bins", 64)
    frames = side // max(1, side // folds) * side
    rate_hz, longest_s = front.get("sampling_rate", 48_000), front.get("max_length_s", 10)
    return Family("clap", rate_hz, width, True, longest_s, frames)


def _check_bins(expected: int, given: int, model: str) -> None:
    if expected != given:
        raise ConfigError(
            f"checkpoint {model!r} expects {expected} mel bands, but its preprocessing gives"
            f" {given}",
            hint="config.json and preprocessor_config.json belong to different models",
        )
