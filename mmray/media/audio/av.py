"""Audio that libsndfile does not read, and sound tracks of video, by FFmpeg. Axes: S samples."""

from collections.abc import Generator, Iterable
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mmray.core.rejection import Rejection

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame

Samples = npt.NDArray[np.float32]

_FORMATS = ",".join((
    "wav", "w64", "aiff", "au", "caf", "flac", "mp3", "ogg", "aac", "mov", "mp4", "matroska",
    "webm", "avi", "flv", "mpegts", "mpeg", "asf", "amr", "ac3", "eac3",
))  # fmt: skip
"""Playlists and the like are left out: they make FFmpeg open other files and addresses."""
_FULL_SCALE = {"u8": 2.0**7, "s16": 2.0**15, "s32": 2.0**31, "flt": 1.0, "dbl": 1.0}


def read_blocks_by_ffmpeg(payload: bytes) -> Generator[tuple[int, Samples]]:
    """Yield sample rate and ``(S, channels)`` float32 of the first sound track.

    Rejects ``audio_unrecognised``, ``audio_no_stream``, ``audio_broken``.
    """
    import av

    try:
        container: Any = av.open(
            BytesIO(payload),
            metadata_errors="ignore",
            options={"format_whitelist": _FORMATS, "protocol_whitelist": ""},
        )
    except _errors() as error:
        detail = f"an unknown format, or a broken header ({type(error).__name__})"
        raise Rejection("audio_unrecognised", detail) from None
    with container:
        if not container.streams.audio:
            raise Rejection("audio_no_stream", f"{container.format.name} without a sound track")
        stream = container.streams.audio[0]
        if stream.codec_context is None:
            raise Rejection("audio_broken", f"{container.format.name} in an unknown codec")
        stream.codec_context.thread_count = 1
        numbered = container.format.name == "flac"
        yield from _blocks(container.decode(stream), is_numbered=numbered)


def _blocks(frames: Iterable["AudioFrame"], *, is_numbered: bool) -> Generator[tuple[int, Samples]]:
    """Yield the frames' samples; where frames are numbered, one that is left out is noticed."""
    rate_hz = count = 0
    try:
        for frame in frames:
            if rate_hz and frame.sample_rate != rate_hz:
                raise Rejection("audio_broken", "the sample rate changes inside the clip")
            rate_hz = frame.sample_rate
            if rate_hz <= 0:
                raise Rejection("audio_broken", f"a sample rate of {rate_hz} Hz")
            if is_numbered and frame.pts != count:
                raise Rejection("audio_broken", f"damaged after {count} samples")
            count += frame.samples
            if frame.samples:
                yield rate_hz, _to_floats(frame)
    except _errors() as error:
        said = getattr(error, "strerror", None) or error  # FFmpeg adds its own numbers and calls
        raise Rejection("audio_broken", f"{type(error).__name__}: {said}") from None


def _to_floats(frame: "AudioFrame") -> Samples:
    """Return the samples ``(S, channels)`` of a frame between -1 and 1."""
    values: npt.NDArray[Any] = frame.to_ndarray()
    is_planar = frame.format.is_planar
    values = values.T if is_planar else values.reshape(-1, frame.layout.nb_channels)
    kind = frame.format.name.removesuffix("p")
    if kind not in _FULL_SCALE:
        raise Rejection("audio_broken", f"samples of type {frame.format.name}")
    with np.errstate(all="ignore"):
        floats = values.astype(np.float64) - (128.0 if kind == "u8" else 0.0)
        return (floats / _FULL_SCALE[kind]).astype(np.float32)


def _errors() -> tuple[type[Exception], ...]:
    """Return what PyAV raises for a broken payload, without loading PyAV for an intact one."""
    import av

    return (
        av.FFmpegError, OSError, ValueError, RuntimeError, LookupError, TypeError, ArithmeticError,
    )  # fmt: skip
