"""Audio: from bytes to blocks of mono samples, by libsndfile. Axes: S samples."""

from collections.abc import Generator
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile

from mmray.core.rejection import Rejection
from mmray.media.audio_av import read_blocks_by_ffmpeg
from mmray.media.audio_whole import bytes_missing

Samples = npt.NDArray[np.float32]

_VALUES_AT_ONCE = 1 << 17
_TRUSTED = {"WAV", "WAVEX", "RF64", "W64", "FLAC", "OGG", "MP3", "AIFF", "AU", "CAF", "NIST"}
_COUNTED = {"FLAC"}
"""Formats that tell how many frames they have, and whose decoder then gives exactly so many."""


def read_blocks(payload: bytes) -> Generator[tuple[int, Samples]]:
    """Yield sample rate and ``(S,)`` float32, channels averaged, until the payload ends.

    What a header promises decides neither how much memory is taken nor how long it lasts.
    Rejects ``audio_empty``, ``audio_truncated``, ``audio_unrecognised``, ``audio_broken``,
    ``audio_no_stream``.
    """
    if not payload:
        raise Rejection("audio_empty", "the payload has no bytes")
    if missing := bytes_missing(payload):
        raise Rejection("audio_truncated", f"{missing} bytes are missing at the end")
    sound = _open(payload)
    if sound is None:
        yield from read_blocks_by_ffmpeg(payload)
        return
    with sound:
        yield from _blocks(sound)


def _open(payload: bytes) -> soundfile.SoundFile | None:
    """Return None for what libsndfile does not know, or reads less well than FFmpeg."""
    try:
        sound = soundfile.SoundFile(BytesIO(payload))
    except (soundfile.SoundFileError, OSError, ValueError, TypeError):
        return None
    if sound.format in _TRUSTED and sound.samplerate > 0:
        return sound
    sound.close()
    return None


def _blocks(sound: soundfile.SoundFile) -> Generator[tuple[int, Samples]]:
    frames_at_once = max(1, _VALUES_AT_ONCE // sound.channels)
    count = 0
    while True:
        try:
            block = sound.read(frames_at_once, dtype="float32", always_2d=True)
        except (soundfile.SoundFileError, OSError, ValueError, TypeError) as error:
            raise Rejection("audio_broken", f"{type(error).__name__}: {error}") from None
        if not len(block):
            break
        count += len(block)
        yield sound.samplerate, to_mono(block)
    if sound.format in _COUNTED and count < sound.frames < 2**62:
        raise Rejection("audio_truncated", f"{count} of {sound.frames} frames could be read")


def to_mono(block: npt.NDArray[Any]) -> Samples:
    """Average the channels: ``(S, channels)`` to ``(S,)``."""
    if block.shape[1] == 1:
        return block[:, 0]
    with np.errstate(all="ignore"):
        return block.mean(axis=1, dtype=np.float32)
