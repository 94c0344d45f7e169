"""Ways to cut a clip into segments. Axes: S samples."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mmray.media.audio.pause import loud_spans

Samples = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class AudioClip:
    """A decoded clip: its segments, at least one, ``(S,)`` float32 each."""

    segments: tuple[Samples, ...]

    @property
    def nbytes(self) -> int:
        """The memory that the samples take."""
        return sum(segment.nbytes for segment in self.segments)


def fixed(samples: Samples, size: int) -> Samples:
    """Return ``(size,)``: cut, or padded with silence."""
    return np.pad(samples[:size], (0, max(0, size - samples.size)))


def windows(samples: Samples, size: int, hop: int, limit: int) -> list[Samples]:
    """Return ``(size,)`` segments that start ``hop`` apart and cover the clip, up to ``limit``."""
    count = 1 + -(-max(0, samples.size - size) // hop)
    return [fixed(samples[start * hop :], size) for start in range(min(count, limit))]


def between_pauses(samples: Samples, top_db: float, shortest: float) -> list[Samples]:
    """Return what lies between pauses and has ``shortest`` samples, or the longest of it."""
    found = [samples[start:end] for start, end in loud_spans(samples, top_db)] or [samples]
    long_enough = [segment for segment in found if segment.size >= shortest]
    return long_enough or [max(found, key=lambda segment: segment.size)]
