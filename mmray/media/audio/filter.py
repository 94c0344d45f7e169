"""Steps that clean a clip: high-pass, trim, loudness. Axes: S samples."""

from typing import Any

import numpy as np
import numpy.typing as npt

from mmray.core.rejection import Rejection
from mmray.media.audio.pause import loud_spans

Samples = npt.NDArray[np.float32]

_BLOCK_S = 0.4
"""Loudness is measured in blocks of this length (ITU-R BS.1770)."""


def high_pass(samples: Samples, sample_rate_hz: int, cutoff_hz: float) -> Samples:
    """Return ``(S,)`` after a Butterworth filter of fourth order: 3 dB less at the cutoff."""
    import scipy.signal  # not above: it takes as long to load as everything else together

    sections: Any = scipy.signal.butter(
        4, cutoff_hz, btype="highpass", fs=sample_rate_hz, output="sos"
    )
    filtered: Any = scipy.signal.sosfilt(sections, samples.astype(np.float64))
    return filtered.astype(np.float32)


def trim(samples: Samples, trim_db: float) -> Samples:
    """Cut both ends where they lie ``trim_db`` below the loudest. Rejects ``audio_silent``."""
    spans = loud_spans(samples, trim_db)
    kept = samples[spans[0][0] : spans[-1][1]] if spans else samples[:0]
    if not kept.size or np.abs(kept).max() == 0.0:
        raise Rejection("audio_silent", f"nothing is left after trimming at {trim_db} dB")
    return kept


def to_loudness(samples: Samples, sample_rate_hz: int, target_lufs: float) -> Samples:
    """Scale to a loudness. A clip shorter than one block of 0.4 s is measured as one block.

    A clip too quiet to be measured (below -70 LUFS) is left as it is.
    """
    import pyloudnorm

    block_s = min(_BLOCK_S, samples.size / sample_rate_hz)
    meter: Any = pyloudnorm.Meter(sample_rate_hz, block_size=block_s)
    with np.errstate(all="ignore"):
        loudness = float(meter.integrated_loudness(samples.astype(np.float64)))
    if not np.isfinite(loudness):
        return samples
    return (samples * 10.0 ** ((target_lufs - loudness) / 20.0)).astype(np.float32)
