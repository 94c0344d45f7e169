"""Spectra of short frames as features. Axes: S samples, T frames, F values per frame."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal

import numpy as np
import numpy.typing as npt

from mmray.core.spec import FeatureSpec
from mmray.features.audio.join import extract_joined
from mmray.features.extractor import Feature
from mmray.media.audio.segment import AudioClip

Floats = npt.NDArray[np.float32]
Pooling = Literal["sequence", "mean", "statistics"]


class AudioFramesExtractor:
    """One vector per frame of every segment, or their mean, or their mean and deviation.

    The frames are part of decoding, and so computed in the process that decodes: they are mostly
    smaller than the samples, whose way to another process takes as long as a tenth of the work.
    """

    def __init__(
        self,
        spec: FeatureSpec,
        decode: Callable[[bytes], AudioClip],
        transform: Callable[[Floats], Floats],
        pooling: Pooling,
    ) -> None:
        self.spec = spec
        pooled = partial(_pooled, transform, pooling)
        self.decode = partial(_feature, decode, pooled, spec)

    def extract(self, decoded: Sequence[Feature]) -> Sequence[Feature]:
        """Return ``(T, F)``, ``(F,)`` or ``(2F,)`` per clip, by the kind of pooling."""
        return decoded


def _feature(
    decode: Callable[[bytes], AudioClip],
    pooled: Callable[[Floats], Feature],
    spec: FeatureSpec,
    payload: bytes,
) -> Feature:
    """Return the feature of one clip."""
    (feature,) = extract_joined(
        lambda segments: list(map(pooled, segments)), [decode(payload)], spec
    )
    return feature


def _pooled(transform: Callable[[Floats], Floats], pooling: Pooling, samples: Floats) -> Feature:
    frames = transform(samples)
    match pooling:
        case "sequence":
            return frames  # (T, F)
        case "mean":
            return frames.mean(axis=0)  # (F,)
        case "statistics":
            return np.concatenate([frames.mean(axis=0), frames.std(axis=0)])  # (2F,)
