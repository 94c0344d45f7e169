"""Which frames of a clip are taken. Axes: N frames of the clip, T frames taken."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Times = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]
_ROUNDING_S = 1e-6
"""A frame that appears at the very moment is shown, whatever the last digit says."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """Selection of the frames of a clip; never more than ``frames``."""

    kind: Literal["uniform", "rate", "scenes", "key_frames"]
    frames: int
    per_second: float = 1.0
    """``rate`` only."""
    threshold: float = 0.1
    """``scenes`` only: mean difference of brightness, of 1, that starts a scene."""


@dataclass(frozen=True, slots=True)
class VideoLimits:
    """Limits of a payload."""

    max_bytes: int
    max_pixels: int
    """Per frame."""
    max_duration_s: float
    max_frames: int
    """Frames in the file, not those that are taken."""


def choose_frames(times_s: Times, end_s: float, sampling: Sampling) -> Places:
    """Return which frames are taken, ascending and each once.

    ``times_s`` (N) is when each frame appears, from zero; the last one disappears at ``end_s``. A
    moment between two frames shows the earlier one.
    """
    moments = _moments(end_s, sampling)
    indices = np.searchsorted(times_s, moments + _ROUNDING_S, side="right") - 1
    return np.unique(np.clip(indices, 0, len(times_s) - 1))


def choose_key_frames(times_s: Times, end_s: float, keys: Places, sampling: Sampling) -> Places:
    """Return which of ``keys``, the indices of key frames, are taken, ascending and each once.

    Where there are more than ``sampling.frames``, those that are nearest to where ``uniform``
    looks.
    """
    if len(keys) <= sampling.frames:
        return keys
    apart = np.abs(times_s[keys][None, :] - _moments(end_s, sampling)[:, None])  # (T, keys)
    return keys[np.unique(apart.argmin(axis=1))]


def choose_scenes(changes: npt.NDArray[np.float64], sampling: Sampling) -> Places | None:
    """Return the first frames of the scenes, or None where the clip is a single scene.

    ``changes`` (N) is how much each frame differs from the one before, of 1. Where there are too
    many, the first scene and the strongest changes are kept.
    """
    starts = np.flatnonzero(changes > sampling.threshold)
    starts = starts[starts > 0]
    if not len(starts):
        return None
    strongest = np.argsort(-changes[starts], kind="stable")[: sampling.frames - 1]
    return np.unique(np.concatenate([[0], starts[strongest]]))


def spread(count: int, frames: int) -> Places:
    """Return ``frames`` indices among ``count`` frames, evenly; all of them where they fit."""
    return (np.arange(frames) * 2 + 1) * count // (2 * frames)


def _moments(end_s: float, sampling: Sampling) -> Times:
    """Return the times of the frames; a rate that gives too many is spread over the clip."""
    if sampling.kind == "rate":
        count = math.ceil(end_s * sampling.per_second - 1e-9)
        if count <= sampling.frames:
            return np.arange(max(1, count), dtype=np.float64) / sampling.per_second
    return (np.arange(sampling.frames, dtype=np.float64) + 0.5) * (end_s / sampling.frames)
