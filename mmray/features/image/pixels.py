"""The picture itself. Axes: H height, W width."""

from collections.abc import Callable, Sequence

from mmray.core.spec import FeatureSpec
from mmray.features.extractor import Feature


class PixelsExtractor:
    """``(H, W, 3)`` uint8, ready for a convolutional encoder."""

    def __init__(self, spec: FeatureSpec, decode: Callable[[bytes], Feature]) -> None:
        self.spec = spec
        self.decode = decode
        """Returns the resized picture."""

    def extract(self, decoded: Sequence[Feature]) -> list[Feature]:
        """Return the pictures as they are."""
        return list(decoded)
