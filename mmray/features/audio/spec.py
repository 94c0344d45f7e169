"""What audio features will look like, told without data, torch or transformers."""

from typing import assert_never

from mmray.config.audio import AudioConfig, CustomAudioExtract, MfccConfig
from mmray.core.spec import FeatureSpec
from mmray.core.word import Kind
from mmray.features.custom import load_custom


def audio_spec(config: AudioConfig) -> FeatureSpec:
    """Return the spec that the built extractor will keep."""
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
