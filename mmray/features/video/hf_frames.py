"""A pretrained vision model over each frame, frozen. Axes: T frames, H W frame, F feature."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from mmray.core.spec import FeatureSpec
from mmray.errors import ConfigError
from mmray.features.extractor import Feature
from mmray.features.image.network import VisionNetwork

Pixels = npt.NDArray[np.uint8]


class HFFramesExtractor:
    """One vector per frame ``(T, F)``, or their mean ``(F,)``."""

    def __init__(
        self, spec: FeatureSpec, network: VisionNetwork, decode: Callable[[bytes], Pixels]
    ) -> None:
        if network.shape != spec.shape[-1:]:
            raise ConfigError(
                f"the checkpoint gives features of {network.shape[-1]}, not {spec.shape[-1]}",
                hint=f"set extract.dim to {network.shape[-1]}",
            )
        self.spec = spec
        self.decode = decode
        self._network = network

    def extract(self, decoded: Sequence[Pixels]) -> list[Feature]:
        """Return one feature per clip of ``(T, H, W, 3)``; the frames of all are run together."""
        vectors = self._network.extract([frame for clip in decoded for frame in clip])
        ends = np.cumsum([len(clip) for clip in decoded])
        clips = np.split(np.stack(vectors), ends[:-1])  # (T, F) each
        if self.spec.is_ragged:
            return clips
        return [clip.mean(axis=0) for clip in clips]
