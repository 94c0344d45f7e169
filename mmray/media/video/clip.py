"""A clip, opened and measured but not decoded: its packets and when their frames appear."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO
from typing import Any, TypeAlias

import av
import numpy as np
import numpy.typing as npt
from av.stream import Disposition

from mmray.core.rejection import Rejection
from mmray.media.video.container import Format
from mmray.media.video.sampling import Times, VideoLimits

Packet: TypeAlias = Any
_MAX_STREAMS = 64
_COVER = Disposition.attached_pic | Disposition.timed_thumbnails


@dataclass(frozen=True, slots=True)
class Timeline:
    """When frames appear, in the order in which they are shown."""

    stamps: npt.NDArray[np.int64]
    """(N) presentation times, in units of the stream, rising."""
    end: int
    """When the last frame disappears."""
    unit_s: Fraction

    def times_s(self) -> Times:
        """Return (N) seconds since the first frame."""
        since = (self.stamps - self.stamps[0]).astype(np.float64)
        return since * self.unit_s.numerator / self.unit_s.denominator

    def end_s(self) -> float:
        """Return when the last frame disappears, in seconds since the first."""
        return float((self.end - int(self.stamps[0])) * self.unit_s)


@dataclass(frozen=True, slots=True)
class Clip:
    """The video stream of a payload."""

    packets: list[Packet]
    """In decoding order, which is not the order of showing."""
    codec: Any
    """The decoder, not yet used."""
    rate: Fraction
    """Frames per second, where the packets do not say when they are shown."""
    timeline: Timeline | None
    """None where the packets do not say when they are shown."""
    max_pixels: int

    def key_stamps(self) -> list[int]:
        """Return the times of frames that depend on no other; none if unknown."""
        if self.timeline is None:
            return []
        return [p.pts for p in self.packets if p.is_keyframe and not p.is_discard]


@contextmanager
def open_clip(
    payload: bytes, container: Format, *, limits: VideoLimits, threads: int
) -> Generator[Clip]:
    """Open the first video stream that is not a cover picture.

    Rejects ``video_no_stream``, ``video_unsupported``, ``video_too_large``, ``video_too_long``,
    ``video_truncated`` and ``video_empty``.
    """
    with _opened(payload, container, {"max_pixels": str(limits.max_pixels)}) as source:
        stream = _find_stream(source)
        codec = stream.codec_context
        # For some codecs the library drops a size that is above the limit.
        width, height = (codec.width, codec.height) if codec.width else _told(payload, container)
        check_pixels(width, height, limits.max_pixels)
        codec.thread_count = threads
        codec.options = {"max_pixels": str(limits.max_pixels)}
        packets = _read_packets(source, stream, limits)
        rate = stream.average_rate or stream.base_rate or Fraction(25)
        # An AVI has no times of showing: those of reordered frames would be made up.
        is_told = container != "avi" or not codec.has_b_frames
        timeline = _timeline(packets, stream.time_base) if is_told else None
        seconds = timeline.end_s() if timeline else len(packets) / float(rate)
        if seconds > limits.max_duration_s:
            raise _too_long(seconds, limits)
        yield Clip(packets, codec, rate, timeline, limits.max_pixels)


def _opened(payload: bytes, container: Format, options: dict[str, str]) -> Any:  # noqa: ANN401
    # The format is named so that the library does not guess; see video_container.
    return av.open(
        BytesIO(payload),
        format=container,
        options=options | {"max_streams": str(_MAX_STREAMS)},
        metadata_errors="ignore",
    )


def _told(payload: bytes, container: Format) -> tuple[int, int]:
    """Return width and height as the container states them, without decoding a frame."""
    with _opened(payload, container, {"probesize": "32", "analyzeduration": "0"}) as source:
        codec = _find_stream(source).codec_context
        return codec.width, codec.height


def check_pixels(width: int, height: int, max_pixels: int) -> None:
    """Reject a frame that is too large as ``video_too_large``."""
    if width * height > max_pixels:
        raise Rejection("video_too_large", f"{width} x {height} pixels; the limit is {max_pixels}")


def _find_stream(source: Any) -> Any:  # noqa: ANN401
    streams = [stream for stream in source.streams.video if not stream.disposition & _COVER]
    if not streams:
        kinds = sorted({stream.type for stream in source.streams})
        raise Rejection("video_no_stream", f"streams: {', '.join(kinds) or 'none'}")
    if streams[0].codec_context is None:
        raise Rejection("video_unsupported", f"no decoder for stream {streams[0].index}")
    return streams[0]


def _read_packets(source: Any, stream: Any, limits: VideoLimits) -> list[Packet]:  # noqa: ANN401
    """Return all packets that show a frame. What they hold is as large as the payload at most."""
    packets: list[Packet] = []
    first = None
    for packet in source.demux(stream):
        if not packet.size:
            continue
        if packet.is_corrupt:
            raise Rejection("video_truncated", f"packet {len(packets)} is incomplete")
        packets.append(packet)
        if len(packets) > limits.max_frames:
            raise Rejection("video_too_long", f"more than {limits.max_frames} frames")
        if packet.pts is not None:
            first = packet.pts if first is None else first
            seconds = float(abs(packet.pts - first) * stream.time_base)
            if seconds > limits.max_duration_s:
                raise _too_long(seconds, limits)
    if not packets:
        raise Rejection("video_empty", "the video stream has no frames")
    return packets


def _too_long(seconds: float, limits: VideoLimits) -> Rejection:
    return Rejection("video_too_long", f"{seconds:.1f} s; the limit is {limits.max_duration_s}")


def _timeline(packets: list[Packet], unit_s: Fraction) -> Timeline | None:
    """Order the packets by when they are shown; those of an edit list's cut are decoded only."""
    shown = [packet for packet in packets if not packet.is_discard]
    if not shown or any(packet.pts is None for packet in shown):
        return None
    last = max(shown, key=lambda packet: packet.pts)
    stamps = np.unique(np.array([packet.pts for packet in shown], dtype=np.int64))
    if len(stamps) < len(shown) or not shown[0].is_keyframe:
        return None
    usual = int(np.median(np.diff(stamps))) if len(stamps) > 1 else 1
    return Timeline(stamps, last.pts + (last.duration or usual), unit_s)
