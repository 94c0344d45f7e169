"""The samples of a clip. Axes: S samples."""

from collections.abc import Callable, Sequence

from mmray.core.spec import FeatureSpec
from mmray.features.audio.join import extract_joined
from mmray.features.extractor import Feature
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
