"""Mel-frequency cepstral coefficients. Axes: S samples, T frames, F coefficients."""

from functools import cache
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from mmray.features.audio.spectrum.mel import LogMel

Floats = npt.NDArray[np.float32]

_SLOPE_FRAMES = 9


class Mfcc:
    """Agrees with ``librosa.feature.mfcc`` and ``librosa.feature.delta``; the cosines made once."""

    def __init__(self, log_mel: LogMel, *, mels: int, coefficients: int, deltas: int) -> None:
        self._log_mel = log_mel
        self._cosines = _cosines(mels, coefficients)
        self._deltas = deltas

    def __call__(self, samples: Floats) -> Floats:
        """Return ``(T, F)`` from ``(S,)``: the coefficients, then each order of their deltas."""
        coefficients = self._log_mel(samples) @ self._cosines  # (T, coefficients)
        slopes = [_delta(coefficients, order) for order in range(1, self._deltas + 1)]
        return np.concatenate([coefficients, *slopes], axis=1) if slopes else coefficients


def _delta(values: Floats, order: int) -> Floats:
    """Return the derivative of a polynomial fitted to nine frames, ``(T, F)``.

    Of a clip with fewer frames the first and last one are repeated.
    """
    mode: Literal["interp", "nearest"] = "interp" if len(values) >= _SLOPE_FRAMES else "nearest"
    import scipy.signal  # not above: it takes long to load, and few ask for slopes

    found: Any = scipy.signal.savgol_filter(
        values, _SLOPE_FRAMES, deriv=order, polyorder=order, axis=0, mode=mode
    )
    return found.astype(np.float32, copy=False)


@cache
def _cosines(mels: int, coefficients: int) -> Floats:
    """Return the first columns of the orthonormal DCT-II, ``(mels, coefficients)``."""
    mel = (np.arange(mels)[:, None] + 0.5) * (np.pi / mels)
    matrix = np.cos(mel * np.arange(coefficients)[None, :]) * np.sqrt(2.0 / mels)
    matrix[:, 0] /= np.sqrt(2.0)
    return matrix.astype(np.float32)
