"""Audio: from several channels to one. Axes: S samples."""

from collections.abc import Generator, Iterable
from typing import Literal

import numpy as np
import numpy.typing as npt

from mmray.core.rejection import Rejection

Samples = npt.NDArray[np.float32]
Channels = Literal["average", "first"]

SILENCE = 1e-4
_CANCELLED = 0.05
"""An average with less than this share of the channels' amplitude (RMS) is what lossy coding leaves
of a signal and its opposite."""


class Mixer:
    """Mixes the blocks of one clip to one channel, and records the level of each channel."""

    def __init__(self, channels: Channels = "average") -> None:
        self._channels = channels
        self._peak = 0.0
        self._peaks: dict[int, npt.NDArray[np.float32]] = {}
        self._energy = 0.0
        self._channel_energy = 0.0

    def mix(self, blocks: Iterable[tuple[int, Samples]]) -> Generator[tuple[int, Samples]]:
        """Turn blocks ``(S, channels)`` into ``(S,)``; what is left in the end is not silence.

        Rejects ``audio_silent`` and ``audio_cancelled``.
        """
        for rate_hz, block in blocks:
            mono = self._mono(block)
            self._peak = max(self._peak, float(np.abs(mono).max()))
            yield rate_hz, mono
        loudest = max((float(peaks.max()) for peaks in self._peaks.values()), default=0.0)
        if loudest >= SILENCE and self._energy < _CANCELLED**2 * self._channel_energy:
            detail = f"channels cancel each other: they reach {loudest:.2g}, their average "
            hint = "'decode.channels: first' takes the first alone"
            raise Rejection("audio_cancelled", f"{detail}{self._peak:.2g}; {hint}")
        if self._peak < SILENCE:
            raise Rejection("audio_silent", f"no sample reaches {SILENCE}")

    @property
    def gain(self) -> float:
        """Factor that compensates the average for channels that are silent throughout."""
        if len(self._peaks) != 1:
            return 1.0
        ((count, peaks),) = self._peaks.items()
        return count / max(1, int((peaks >= SILENCE).sum()))

    def _mono(self, block: Samples) -> Samples:
        count = block.shape[1]
        if count == 1 or self._channels == "first":
            return block[:, 0]
        peaks = np.array([np.abs(block[:, channel]).max() for channel in range(count)])
        self._peaks[count] = np.maximum(self._peaks.get(count, peaks), peaks)
        # Channel by channel: a mean along so short an axis takes thirty times as long.
        mono = sum(block[:, channel] for channel in range(1, count)) + block[:, 0]
        mono /= np.float32(count)
        self._energy += float(np.vdot(mono, mono))
        self._channel_energy += float(np.vdot(block, block)) / count
        return mono
