"""From features of segments to one feature per clip. Axes: S samples, T steps, F feature."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from mmray.core.spec import FeatureSpec
from mmray.features.extractor import Feature
from mmray.media.audio.segment import AudioClip

Samples = npt.NDArray[np.float32]


def extract_joined(
    extract: Callable[[Sequence[Samples]], Sequence[Feature]],
    decoded: Sequence[AudioClip],
    spec: FeatureSpec,
) -> list[Feature]:
    """Return one feature per clip from those of its segments.

    Sequences ``(T, F)`` are joined end to end; vectors ``(F,)`` become their mean, or a step each
    when the spec is a sequence. What is beyond the spec's longest sequence is cut.
    """
    features = extract([segment for clip in decoded for segment in clip.segments])
    joined: list[Feature] = []
    start = 0
    for clip in decoded:
        end = start + len(clip.segments)
        joined.append(_joined(features[start:end], spec))
        start = end
    return joined


def _joined(features: Sequence[Feature], spec: FeatureSpec) -> Feature:
    if spec.layout == "vector":
        return np.stack(features).mean(axis=0, dtype=np.float32)  # (F,)
    whole = np.concatenate([np.atleast_2d(feature) for feature in features])
    return np.ascontiguousarray(whole[: spec.shape[0]])  # (T, F)
