"""Stationary spectral gating, as ``noisereduce`` does it with its defaults.

Axes: S samples, K frequencies, T frames.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.ndimage
import scipy.signal

Samples = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]

_WINDOW, _HOP = 1024, 256
_CHUNK, _MARGIN = 600_000, 30_000
_DEVIATIONS = 1.5
_SMOOTH_HZ, _SMOOTH_S = 500.0, 0.05
_DYNAMICS_DB = 80.0


def gate_spectrum(samples: Samples, sample_rate_hz: int) -> Samples:
    """Return ``(S,)`` with every frequency muted where it is not louder than usual in this clip.

    Usual is the mean plus 1.5 deviations over the first 600,000 samples, in dB.
    """
    # A clip shorter than the window is padded to it.
    whole = np.pad(samples, (0, max(0, _WINDOW - samples.size))).astype(np.float64)
    usual_db = _decibels(_spectrum(whole[:_CHUNK]))  # (K, T)
    threshold = usual_db.mean(axis=1) + _DEVIATIONS * usual_db.std(axis=1)  # (K,)
    smoothing = _smoothing(sample_rate_hz)
    margin = _MARGIN if whole.size > _CHUNK else _short_margin(smoothing[1].size)
    padded = np.pad(whole, margin)
    pieces = [
        _gated(padded[start : start + _CHUNK + 2 * margin], threshold, smoothing)[margin:][:_CHUNK]
        for start in range(0, whole.size, _CHUNK)
    ]
    return np.concatenate(pieces)[: samples.size].astype(np.float32)


def _short_margin(smoothed_frames: int) -> int:
    """Return enough silence around a clip, with the frames where the long margin has them."""
    return _MARGIN % _HOP + _HOP * (smoothed_frames + 2 * _WINDOW // _HOP)


def _gated(chunk: Floats, threshold: Floats, smoothing: tuple[Floats, Floats]) -> Floats:
    spectrum = _spectrum(chunk)  # (K, T)
    mask = (_decibels(spectrum) > threshold[:, None]).astype(np.float64)
    for axis, kernel in enumerate(smoothing):
        mask = scipy.ndimage.convolve1d(mask, kernel, axis=axis, mode="constant")
    inverse: Any = scipy.signal.istft(
        spectrum * mask, nperseg=_WINDOW, nfft=_WINDOW, noverlap=_WINDOW - _HOP
    )
    restored = inverse[1][: chunk.size]
    return np.pad(restored, (0, chunk.size - restored.size))


def _spectrum(samples: Floats) -> npt.NDArray[np.complex128]:
    found: Any = scipy.signal.stft(
        samples, nperseg=_WINDOW, nfft=_WINDOW, noverlap=_WINDOW - _HOP, padded=False
    )
    return found[2]


def _decibels(spectrum: npt.NDArray[np.complex128]) -> Floats:
    decibels = 20.0 * np.log10(np.abs(spectrum) + np.finfo(np.float64).eps)
    return np.maximum(decibels, decibels.max(axis=1, keepdims=True) - _DYNAMICS_DB)


def _smoothing(sample_rate_hz: int) -> tuple[Floats, Floats]:
    """Return triangles of about 500 Hz and 50 ms to either side, each of sum one."""
    bins = max(1, int(_SMOOTH_HZ / (sample_rate_hz / (_WINDOW / 2))))
    frames = max(1, int(_SMOOTH_S * 1000 / (_HOP / sample_rate_hz * 1000)))
    return _triangle(bins), _triangle(frames)


def _triangle(half: int) -> Floats:
    rising = np.linspace(0.0, 1.0, half + 1, endpoint=False)
    kernel = np.concatenate([rising, np.linspace(1.0, 0.0, half + 2)])[1:-1]
    return kernel / kernel.sum()
