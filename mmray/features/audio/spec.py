"""The specs of audio features, without data, torch or transformers."""

from mmray.config.modality.audio import AudioConfig, AudioDecodeConfig, LogMelConfig, MfccConfig
from mmray.core.kind import Kind
from mmray.core.spec import FeatureSpec


def spectrum_spec(config: AudioConfig, extract: MfccConfig | LogMelConfig) -> FeatureSpec:
    """Return the spec of spectra of short frames."""
    size = config.decode.segment_size
    frames = None if size is None else 1 + size // extract.hop
    width = extract.width * (2 if extract.pooling == "statistics" else 1)
    if extract.pooling == "sequence":
        return sequence_spec(config.decode, frames, extract.max_frames, width)
    return vector_spec(config.decode, width)


def sequence_spec(
    decode: AudioDecodeConfig, frames: int | None, max_frames: int, width: int
) -> FeatureSpec:
    """Frames of all segments, end to end; ``frames`` is how many one segment has, where known."""
    segments = decode.max_segments if decode.has_many_segments else 1
    longest = max_frames if frames is None else min(max_frames, frames * segments)
    return FeatureSpec(Kind.AUDIO, "sequence", (longest, width), "float32")


def vector_spec(decode: AudioDecodeConfig, width: int) -> FeatureSpec:
    """One vector per clip, or one per segment."""
    if decode.has_many_segments and decode.combine == "sequence":
        return FeatureSpec(Kind.AUDIO, "sequence", (decode.max_segments, width), "float32")
    return FeatureSpec(Kind.AUDIO, "vector", (width,), "float32")
