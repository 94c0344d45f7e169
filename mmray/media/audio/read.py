"""Audio: from bytes to blocks of samples, by libsndfile, else by FFmpeg. Axes: S samples."""

from collections.abc import Generator
from io import BytesIO
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile

from mmray.core.rejection import Rejection
from mmray.media.audio.av import read_blocks_by_ffmpeg
from mmray.media.audio.completeness import bytes_behind_empty, bytes_missing
from mmray.media.audio.joined import split_joined
from mmray.media.audio.mp3_frames import split_mp3

Samples = npt.NDArray[np.float32]
Blocks = Generator[tuple[int, Samples]]

_VALUES_AT_ONCE = 1 << 17
_TRUSTED = {"WAV", "WAVEX", "RF64", "W64", "FLAC", "OGG", "MP3", "AIFF", "AU", "CAF", "NIST"}
_COUNTED = {"FLAC", "MP3"}
"""Formats that state their number of frames, and whose decoder then gives exactly that many."""
_UNCOUNTED = 2**62
"""More frames than possible: the header does not state the number."""
_ERRORS = (soundfile.SoundFileError, OSError, ValueError, TypeError)


def read_blocks(payload: bytes) -> Blocks:
    """Yield sample rate and ``(S, channels)`` float32 until the payload ends.

    Of recordings that were joined, each is read; the sample rate may change between them. What a
    header promises decides neither how much memory is taken nor how long it lasts. Rejects
    ``audio_empty``, ``audio_truncated``, ``audio_unrecognised``, ``audio_broken``,
    ``audio_no_stream``.
    """
    if not payload:
        raise Rejection("audio_empty", "the payload has no bytes")
    for recording in split_joined(payload):
        if missing := bytes_missing(recording):
            raise Rejection("audio_truncated", f"{missing} bytes are missing at the end")
        yield from _read(recording)


def _read(payload: bytes) -> Blocks:
    sound = _open(payload)
    if sound is None or (sound.format == "MP3" and sound.subtype != "MPEG_LAYER_III"):
        yield from read_blocks_by_ffmpeg(payload)
    elif sound.format == "MP3":
        sound.close()
        yield from _read_mp3(payload)
    else:
        yield from _read_or_ask_ffmpeg(sound, payload)


def _read_mp3(payload: bytes) -> Blocks:
    """Read every recording of an MP3.

    libsndfile stops where it expects the end, so it reads files that state their length; FFmpeg the
    rest.
    """
    recordings = split_mp3(payload)
    if not recordings:  # of no usual bit rate
        yield from read_blocks_by_ffmpeg(payload)
    for recording in recordings:
        sound = _open(recording.payload) if recording.is_counted else None
        if sound is not None:
            yield from _blocks(sound)
        else:
            yield from read_blocks_by_ffmpeg(recording.payload)


def _read_or_ask_ffmpeg(sound: soundfile.SoundFile, payload: bytes) -> Blocks:
    """Read by libsndfile; FFmpeg reads files that state no length, or that they are empty."""
    if sound.format == "FLAC" and sound.frames >= _UNCOUNTED:  # written into a pipe
        sound.close()
        yield from read_blocks_by_ffmpeg(payload)
        return
    blocks = _blocks(sound)
    first = next(blocks, None)
    if first is not None:
        yield from chain([first], blocks)
    elif bytes_behind_empty(payload):
        yield from _read_unsized(payload)


def _read_unsized(payload: bytes) -> Blocks:
    """Read what a header denies; a Rejection names both if there is nothing to read."""
    blocks = read_blocks_by_ffmpeg(payload)
    try:
        first, failed = next(blocks, None), None
    except Rejection as rejection:
        first, failed = None, rejection
    if first is None:
        detail = "its header says that no samples follow, and FFmpeg reads none"
        raise Rejection("audio_empty", detail) from failed
    yield from chain([first], blocks)


def _open(payload: bytes) -> soundfile.SoundFile | None:
    """Return None for what libsndfile does not know, or reads less well than FFmpeg."""
    try:
        sound = soundfile.SoundFile(BytesIO(payload))
    except _ERRORS:
        return None
    if sound.format in _TRUSTED and sound.samplerate > 0:
        return sound
    sound.close()
    return None


def _blocks(sound: soundfile.SoundFile) -> Blocks:
    frames_at_once = max(1, _VALUES_AT_ONCE // sound.channels)
    count = 0
    with sound:
        while len(block := _next_block(sound, frames_at_once)):
            count += len(block)
            yield sound.samplerate, block
        if sound.format in _COUNTED and count < sound.frames < _UNCOUNTED:
            raise Rejection("audio_truncated", f"{count} of {sound.frames} frames could be read")


def _next_block(sound: soundfile.SoundFile, frames: int) -> npt.NDArray[Any]:
    try:
        return sound.read(frames, dtype="float32", always_2d=True)
    except _ERRORS as error:
        raise Rejection("audio_broken", f"{type(error).__name__}: {error}") from None
