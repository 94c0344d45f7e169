"""The picture itself. Axes: H height, W width."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from mmray.config.modality.image import ImageConfig, PixelsConfig
from mmray.core.kind import Kind
from mmray.core.spec import FeatureSpec
from mmray.features.extractor import Extractor, Feature
from mmray.features.image.decode import image_steps
from mmray.features.kind import ExtractorKind
from mmray.media.image.decode import decode_image


class PixelsExtractor:
    """``(H, W, 3)`` uint8, ready for a convolutional encoder."""

    def __init__(self, spec: FeatureSpec, decode: Callable[[bytes], Feature]) -> None:
        self.spec = spec
        self.decode = decode
        """Returns the resized picture."""

    def extract(self, decoded: Sequence[Feature]) -> list[Feature]:
        """Return the pictures as they are."""
        return list(decoded)


def _spec(config: ImageConfig, extract: PixelsConfig) -> FeatureSpec:
    return FeatureSpec(Kind.IMAGE, "pixels", (extract.height, extract.width, 3), "uint8")


def _build(config: ImageConfig, extract: PixelsConfig, state: Path | None) -> Extractor:
    steps = image_steps(config.decode, auto_draft=1.4)
    decode = partial(decode_image, height=extract.height, width=extract.width, steps=steps)
    return PixelsExtractor(_spec(config, extract), decode)


PIXELS = ExtractorKind(config=PixelsConfig, version=4, spec=_spec, build=_build)
