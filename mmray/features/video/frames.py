"""The frames themselves. Axes: T frames, H height, W width."""

from collections.abc import Callable, Sequence

from mmray.core.spec import FeatureSpec
from mmray.features.extractor import Feature


class VideoFramesExtractor:
    """``(T, H, W, 3)`` uint8, ready for a convolutional encoder."""

    def __init__(self, spec: FeatureSpec, decode: Callable[[bytes], Feature]) -> None:
        self.spec = spec
        self.decode = decode

    def extract(self, decoded: Sequence[Feature]) -> list[Feature]:
        """Return the frames as they are."""
        return list(decoded)
