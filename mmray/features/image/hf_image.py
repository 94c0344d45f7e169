"""A pretrained vision model as an extractor. Axes: H height, W width, T patches, F feature."""

from collections.abc import Callable, Sequence
from functools import partial

from mmray.core.spec import FeatureSpec
from mmray.errors import ConfigError
from mmray.features.extractor import Feature
from mmray.features.image.network import VisionNetwork
from mmray.features.image.preprocess import Pixels, decode_for
from mmray.media.image.decode import ImageSteps


class HFImageExtractor:
    """The output of a vision checkpoint, ``(F,)`` or ``(T, F)``."""

    def __init__(self, spec: FeatureSpec, network: VisionNetwork, *, steps: ImageSteps) -> None:
        if network.shape != spec.shape:
            *counts, width = network.shape
            raise ConfigError(
                f"the checkpoint gives features of {network.shape}, not {spec.shape}",
                hint=f"set extract.dim to {width}"
                + "".join(f" and extract.steps to {count}" for count in counts),
            )
        self.spec = spec
        self._network = network
        self.decode: Callable[[bytes], Pixels] = partial(
            decode_for, preprocess=network.preprocess, steps=steps
        )
        """Returns the picture as the checkpoint wants it, ``(H, W, 3)`` uint8."""

    def extract(self, decoded: Sequence[Pixels]) -> list[Feature]:
        """Return one float32 feature per picture."""
        return self._network.extract(decoded)
