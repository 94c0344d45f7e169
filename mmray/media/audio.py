"""Audio: from bytes to mono samples. Axes: S samples."""

from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from mmray.core.rejection import Rejection

Samples = npt.NDArray[np.float32]

_BLOCK = 1 << 16
_SILENCE = 1e-4
_UNRECOGNISED = 1  # libsndfile: SF_ERR_UNRECOGNISED_FORMAT


def decode_audio(
    payload: bytes,
    *,
    sample_rate_hz: int,
    denoise: bool,
    trim_db: float | None,
    segment_s: float | None,
    max_duration_s: float,
) -> Samples:
    """Return ``(S,)`` float32: mono, resampled, denoised, trimmed, cut or padded, in this order.

    Rejects ``audio_unrecognised``, ``audio_broken``, ``audio_empty``, ``audio_not_finite``,
    ``audio_silent`` or ``audio_too_long``.
    """
    samples, rate_hz = _read_mono(payload, max_duration_s)
    if not np.isfinite(samples).all():
        raise Rejection("audio_not_finite", "a sample is infinite or not a number")
    if np.abs(samples).max() < _SILENCE:
        raise Rejection("audio_silent", f"no sample reaches {_SILENCE}")
    if rate_hz != sample_rate_hz:
        samples = soxr.resample(samples, rate_hz, sample_rate_hz)
    if denoise:
        samples = _denoised(samples, sample_rate_hz)
    if trim_db is not None:
        samples = _trimmed(samples, trim_db)
    if not samples.size:
        raise Rejection("audio_empty", "the clip is too short to keep a sample")
    if segment_s is not None:
        samples = _segment(samples, max(1, round(segment_s * sample_rate_hz)))
    return np.ascontiguousarray(samples, dtype=np.float32)


def _read_mono(payload: bytes, max_duration_s: float) -> tuple[Samples, int]:
    try:
        with soundfile.SoundFile(BytesIO(payload)) as sound:
            if sound.frames > max_duration_s * sound.samplerate:
                seconds = sound.frames / sound.samplerate
                raise Rejection("audio_too_long", f"{seconds:.1f} s, allowed are {max_duration_s}")
            # Block by block: what a header promises must not decide how much memory is taken.
            blocks: list[Samples] = []
            while len(block := sound.read(_BLOCK, dtype="float32", always_2d=True)):
                blocks.append(_to_mono(block))
            rate_hz = sound.samplerate
    except soundfile.LibsndfileError as error:
        unknown = error.code == _UNRECOGNISED
        raise Rejection("audio_unrecognised" if unknown else "audio_broken", str(error)) from None
    except (soundfile.SoundFileError, OSError, ValueError, TypeError) as error:
        raise Rejection("audio_broken", f"{type(error).__name__}: {error}") from None
    if not blocks:
        raise Rejection("audio_empty", "the file holds no frames")
    return np.concatenate(blocks), rate_hz


def _to_mono(block: npt.NDArray[Any]) -> Samples:
    """Average the channels: ``(S, channels)`` to ``(S,)``."""
    if block.shape[1] == 1:
        return block[:, 0]
    with np.errstate(all="ignore"):
        return block.mean(axis=1, dtype=np.float32)


def _denoised(samples: Samples, sample_rate_hz: int) -> Samples:
    import noisereduce  # imports torch

    library: Any = noisereduce
    # A clip shorter than the window is padded: the library expects at least one whole window.
    padded = np.pad(samples, (0, max(0, 1024 - samples.size)))
    with np.errstate(all="ignore"):
        cleaned = library.reduce_noise(y=padded, sr=sample_rate_hz, stationary=True)
    return np.nan_to_num(cleaned[: samples.size].astype(np.float32))


def _trimmed(samples: Samples, trim_db: float) -> Samples:
    import librosa

    library: Any = librosa
    kept: Samples = library.effects.trim(samples, top_db=trim_db)[0]
    if not kept.size or np.abs(kept).max() == 0.0:
        raise Rejection("audio_silent", f"nothing is left after trimming at {trim_db} dB")
    return kept


def _segment(samples: Samples, size: int) -> Samples:
    return np.pad(samples[:size], (0, max(0, size - samples.size)))
