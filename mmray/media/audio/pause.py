"""The quiet parts of a clip, as ``librosa.effects`` finds them. Axes: S samples, T frames."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]
Span = tuple[int, int]
"""Start and end, in samples."""

_HOP, _HOPS_PER_FRAME = 512, 4
_FLOOR = 1e-10


def loud_spans(samples: Samples, top_db: float) -> list[Span]:
    """Return what lies less than ``top_db`` below the loudest frame, parted by pauses."""
    is_loud = np.concatenate([[False], _is_loud(samples, top_db), [False]])  # (T + 2,)
    edges = np.minimum(np.flatnonzero(np.diff(is_loud)) * _HOP, samples.size).tolist()
    spans = list(pairwise(edges))[::2]
    return [(start, end) for start, end in spans if end > start]


def _is_loud(samples: Samples, top_db: float) -> npt.NDArray[np.bool_]:
    """Return, per frame of 2048 samples, centred 512 apart, whether it is not a pause: ``(T,)``."""
    count = 1 + samples.size // _HOP
    half = _HOPS_PER_FRAME // 2 * _HOP
    size = (count + _HOPS_PER_FRAME) * _HOP
    padded = np.pad(samples, (half, size - half - samples.size)).astype(np.float64)
    energies = np.square(padded).reshape(-1, _HOP).sum(axis=1)  # per hop
    frames = np.lib.stride_tricks.sliding_window_view(energies, _HOPS_PER_FRAME)[:count]
    power = np.maximum(frames.sum(axis=1) / (_HOP * _HOPS_PER_FRAME), _FLOOR)  # (T,)
    return 10.0 * np.log10(power / power.max()) > -top_db
