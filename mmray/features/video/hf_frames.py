"""A pretrained vision model over each frame, frozen. Axes: T frames, H W frame, F feature."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from mmray.core.spec import FeatureSpec
from mmray.features.extractor import Extractor, Feature

Pixels = npt.NDArray[np.uint8]


class HFFramesExtractor:
    """One vector per frame ``(T, F)``, or their mean ``(F,)``. ``picture`` extracts one frame."""

    def __init__(
        self, spec: FeatureSpec, picture: Extractor, decode: Callable[[bytes], Pixels]
    ) -> None:
        self.spec = spec
        self.decode = decode
        self._picture = picture

    def extract(self, decoded: Sequence[Pixels]) -> list[Feature]:
        """Return one feature per clip of ``(T, H, W, 3)``; the frames of all are run together."""
        vectors = self._picture.extract([frame for clip in decoded for frame in clip])
        ends = np.cumsum([len(clip) for clip in decoded])
        clips = np.split(np.stack(vectors), ends[:-1])  # (T, F) each
        if self.spec.is_ragged:
            return clips
        return [clip.mean(axis=0) for clip in clips]
