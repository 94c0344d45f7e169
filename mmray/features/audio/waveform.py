"""The samples of a clip. Axes: S samples."""

from collections.abc import Callable, Sequence
from pathlib import Path

from mmray.config.modality.audio import AudioConfig, WaveformConfig
from mmray.core.spec import FeatureSpec
from mmray.features.audio.decode import audio_decoder
from mmray.features.audio.join import extract_joined
from mmray.features.audio.spec import sequence_spec
from mmray.features.extractor import Extractor, Feature
from mmray.features.kind import ExtractorKind
from mmray.media.audio.segment import AudioClip


class WaveformExtractor:
    """``(S, 1)`` float32: one sample per step, the segments of a clip end to end."""

    def __init__(self, spec: FeatureSpec, decode: Callable[[bytes], AudioClip]) -> None:
        self.spec = spec
        self.decode = decode

    def extract(self, decoded: Sequence[AudioClip]) -> list[Feature]:
        """Return the samples as they are, cut where the spec ends."""
        return extract_joined(
            lambda segments: [segment[:, None] for segment in segments], decoded, self.spec
        )


def _spec(config: AudioConfig, extract: WaveformConfig) -> FeatureSpec:
    return sequence_spec(config.decode, config.decode.segment_size, extract.max_samples, 1)


def _build(config: AudioConfig, extract: WaveformConfig, state: Path | None) -> Extractor:
    return WaveformExtractor(_spec(config, extract), audio_decoder(config.decode))


WAVEFORM = ExtractorKind(config=WaveformConfig, version=2, spec=_spec, build=_build)
