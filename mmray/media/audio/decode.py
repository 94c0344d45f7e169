"""Audio: from bytes to mono segments. Axes: S samples."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

import numpy as np
import numpy.typing as npt
import soxr

from mmray.core.rejection import Rejection
from mmray.media.audio.filter import high_pass, to_loudness, trim
from mmray.media.audio.mix import Channels, Mixer
from mmray.media.audio.read import read_blocks
from mmray.media.audio.segment import AudioClip, between_pauses, fixed, windows

Samples = npt.NDArray[np.float32]

_LOUDEST = 1e9


@dataclass(frozen=True, slots=True)
class AudioSteps:
    """Steps of decoding a clip, in the order of the fields; None leaves a step out.

    At most one of ``segment_s``, ``windows`` and ``by_silence`` is given.
    """

    max_duration_s: float = 600.0
    channels: Channels = "average"
    sample_rate_hz: int = 16_000
    high_pass_hz: float | None = None
    denoise: bool = False
    trim_db: float | None = None
    loudness_lufs: float | None = None
    segment_s: float | None = None
    windows: tuple[float, float] | None = None
    """Length and hop in seconds."""
    by_silence: tuple[float, float] | None = None
    """Level of a pause in dB below the loudest, and the shortest segment in seconds."""
    max_segments: int = 64


def decode_audio(payload: bytes, steps: AudioSteps) -> AudioClip:
    """Return the segments of a clip, or of a video's first sound track.

    The order is: mono, resample, high-pass, denoise, trim, loudness, segment. Rejects
    ``audio_empty``, ``audio_truncated``, ``audio_unrecognised``, ``audio_no_stream``,
    ``audio_broken``, ``audio_too_long``, ``audio_not_finite``, ``audio_silent`` and
    ``audio_cancelled``.
    """
    mixer = Mixer(steps.channels)
    blocks = mixer.mix(_checked(read_blocks(payload), steps.max_duration_s))
    samples = _resampled(blocks, steps.sample_rate_hz)
    if (gain := mixer.gain) != 1.0:
        samples = samples * np.float32(gain)
    if not samples.size:
        raise Rejection("audio_empty", "the clip is too short to keep a sample")
    if steps.high_pass_hz is not None:
        samples = high_pass(samples, steps.sample_rate_hz, steps.high_pass_hz)
    if steps.denoise:
        from mmray.media.audio.denoise import gate_spectrum  # loads what takes long to load

        samples = gate_spectrum(samples, steps.sample_rate_hz)
    if steps.trim_db is not None:
        samples = trim(samples, steps.trim_db)
    if steps.loudness_lufs is not None:
        samples = to_loudness(samples, steps.sample_rate_hz, steps.loudness_lufs)
    found = _segments(samples, steps)
    return AudioClip(tuple(np.ascontiguousarray(part, dtype=np.float32) for part in found))


def _checked(
    blocks: Iterable[tuple[int, Samples]], max_duration_s: float
) -> Iterable[tuple[int, Samples]]:
    """Pass the blocks on while they are sound, and if there are any."""
    seconds = 0.0
    for rate_hz, block in blocks:
        seconds += len(block) / rate_hz
        if seconds > max_duration_s:
            raise Rejection("audio_too_long", f"more than the {max_duration_s} s allowed")
        loudest = float(np.abs(block).max())
        if not loudest <= _LOUDEST:  # also when it is not a number
            raise Rejection("audio_not_finite", f"a sample is {loudest}")
        yield rate_hz, block
    if not seconds:
        raise Rejection("audio_empty", "the file holds no frames")


def _resampled(blocks: Iterable[tuple[int, Samples]], sample_rate_hz: int) -> Samples:
    """Resample block by block: only the result is completely in memory."""
    kept: list[Samples] = []
    for rate_hz, alike in groupby(blocks, key=itemgetter(0)):
        parts = (part for _, part in alike)
        if rate_hz == sample_rate_hz:
            kept += parts
            continue
        stream = soxr.ResampleStream(rate_hz, sample_rate_hz, 1, dtype="float32")
        kept += [stream.resample_chunk(np.ascontiguousarray(part)) for part in parts]
        kept.append(stream.resample_chunk(np.zeros(0, np.float32), last=True))
    return np.concatenate(kept)


def _segments(samples: Samples, steps: AudioSteps) -> list[Samples]:
    rate_hz = steps.sample_rate_hz
    if steps.segment_s is not None:
        return [fixed(samples, max(1, round(steps.segment_s * rate_hz)))]
    if steps.windows is not None:
        length, hop = (max(1, round(seconds * rate_hz)) for seconds in steps.windows)
        return windows(samples, length, hop, steps.max_segments)
    if steps.by_silence is not None:
        top_db, shortest_s = steps.by_silence
        return between_pauses(samples, top_db, shortest_s * rate_hz)[: steps.max_segments]
    return [samples]
