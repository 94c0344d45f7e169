"""Mel spectrogram in decibels. Axes: S samples, T frames, F mel bands."""

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

_FRAMES_AT_ONCE = 32
"""So few that what is computed of them stays in the cache, and below what allocators give back to
the system after each use: with 1,024, clips of a few seconds took twice as long."""
_FLOOR = 1e-10


class LogMel:
    """Agrees with librosa's ``power_to_db(melspectrogram(...))``; window and filters made once."""

    def __init__(
        self, rate_hz: int, *, mels: int, fft_size: int, hop: int, top_db: float | None
    ) -> None:
        self._fft_size = fft_size
        self._hop = hop
        self._top_db = top_db
        self._window = _hann(fft_size)
        self._filters = mel_filters(rate_hz, fft_size, mels)

    def __call__(self, samples: Floats) -> Floats:
        """Return ``(T, F)`` from ``(S,)``, T = 1 + S // hop."""
        # Half a window of zeros at both ends: frames are centred, and a short clip is padded.
        padded = np.pad(samples, self._fft_size // 2)
        if padded.size < self._fft_size:
            padded = np.pad(padded, (0, self._fft_size - padded.size))
        frames = np.lib.stride_tricks.sliding_window_view(padded, self._fft_size)[:: self._hop]
        blocks = [
            self._mel_power(frames[start : start + _FRAMES_AT_ONCE])
            for start in range(0, len(frames), _FRAMES_AT_ONCE)
        ]
        decibels = 10.0 * np.log10(np.maximum(np.concatenate(blocks), _FLOOR))  # (T, F)
        if self._top_db is not None:
            decibels = np.maximum(decibels, decibels.max() - self._top_db)
        return decibels.astype(np.float32, copy=False)

    def _mel_power(self, frames: Floats) -> Floats:
        import scipy.fft  # not above: it takes long to load, and only what decodes needs it

        spectrum: Any = scipy.fft.rfft(frames * self._window, axis=-1)
        power = np.square(spectrum.real) + np.square(spectrum.imag)  # (T, bins)
        return power @ self._filters  # (T, F)


@cache
def mel_filters(rate_hz: int, fft_size: int, mels: int) -> Floats:
    """Return Slaney's triangles of equal area, ``(bins, mels)``, from 0 to half the rate."""
    bins_hz = np.fft.rfftfreq(fft_size, 1.0 / rate_hz)
    edges_hz = _mel_to_hz(np.linspace(0.0, _hz_to_mel(rate_hz / 2.0), mels + 2))
    widths = np.diff(edges_hz)
    ramps = edges_hz[:, None] - bins_hz[None, :]  # (mels + 2, bins)
    rising = -ramps[:-2] / widths[:-1, None]
    falling = ramps[2:] / widths[1:, None]
    triangles = np.maximum(0.0, np.minimum(rising, falling))  # (mels, bins)
    triangles *= (2.0 / (edges_hz[2:] - edges_hz[:-2]))[:, None]
    return np.ascontiguousarray(triangles.T, dtype=np.float32)


def _hz_to_mel(hz: float) -> float:
    """Slaney's scale: linear up to 1 kHz (15 mel), logarithmic above."""
    return hz * 3.0 / 200.0 if hz < 1000.0 else 15.0 + np.log(hz / 1000.0) * 27.0 / np.log(6.4)


def _mel_to_hz(mel: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.where(
        mel < 15.0, mel * 200.0 / 3.0, 1000.0 * np.exp((mel - 15.0) * np.log(6.4) / 27.0)
    )


@cache
def _hann(size: int) -> Floats:
    steps = np.arange(size) * (2.0 * np.pi / size)
    return (0.5 - 0.5 * np.cos(steps)).astype(np.float32)
