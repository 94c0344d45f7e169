"""Spectra of short frames as features. Axes: S samples, T frames, F values per frame."""

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from mmray.core.spec import FeatureSpec
from mmray.features.audio.join import extract_joined
from mmray.features.extractor import Feature
from mmray.media.audio_segment import AudioClip

Floats = npt.NDArray[np.float32]
Pooling = Literal["sequence", "mean", "statistics"]


class FramesExtractor:
    """One vector per frame of every segment, or their mean, or their mean and deviation."""

    def __init__(
        self,
        spec: FeatureSpec,
        decode: Callable[[bytes], AudioClip],
        transform: Callable[[Floats], Floats],
        pooling: Pooling,
    ) -> None:
        self.spec = spec
        self.decode = decode
        self._transform = transform
        self._pooling: Pooling = pooling

    def extract(self, decoded: Sequence[AudioClip]) -> list[Feature]:
        """Return ``(T, F)``, ``(F,)`` or ``(2F,)`` per clip, by the kind of pooling."""
        return extract_joined(self._extract, decoded, self.spec)

    def _extract(self, segments: Sequence[Floats]) -> list[Feature]:
        return [self._pooled(self._transform(samples)) for samples in segments]

    def _pooled(self, frames: Floats) -> Feature:
        match self._pooling:
            case "sequence":
                return frames  # (T, F)
            case "mean":
                return frames.mean(axis=0)  # (F,)
            case "statistics":
                return np.concatenate([frames.mean(axis=0), frames.std(axis=0)])  # (2F,)
