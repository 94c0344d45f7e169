"""Decoding as little of a clip as gives the wanted frames exactly. Axes: N frames, T wanted."""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any

import av
import numpy as np
import numpy.typing as npt

from mmray.core.rejection import Rejection
from mmray.media.video.clip import Clip, Packet, Timeline, check_pixels
from mmray.media.video.render import Frame, Pixels, render_grey

Render = Callable[[Frame], Pixels]
SKIPPING = frozenset(("h264", "hevc", "mpeg4", "mpeg2video", "mpeg1video"))
"""Codecs whose decoder can leave out frames that no other frame is made from."""


def read_stamps(clip: Clip, wanted: Sequence[int], render: Render) -> list[Pixels] | None:
    """Return the frames shown at these presentation times, decoding from keyframes near them.

    None if some frame is absent, damaged or out of order: then the complete clip must be decoded.
    """
    found: dict[int, Pixels] = {}
    for key, group in groupby(_span_indices(clip.packets, wanted), key=lambda pair: pair[0]):
        span = _read_span(clip, key, {index for _, index in group}, render)
        if span is None:
            return None
        found |= span
    return [found[stamp] for stamp in wanted] if len(found) == len(set(wanted)) else None


def _read_span(clip: Clip, key: int, indices: set[int], render: Render) -> dict[int, Pixels] | None:
    start = last = clip.packets[key].pts
    wanted = {clip.packets[index].pts for index in indices}
    found: dict[int, Pixels] = {}
    try:
        for frame in _decode_span(clip, key, indices):
            if frame.pts < start:  # shown before the keyframe and made from what lies before it
                continue
            if frame.is_corrupt or frame.pts < last:
                return None
            last = frame.pts
            if last in wanted:
                found[last] = _rendered(clip, frame, render)
    except av.FFmpegError:
        return None
    finally:
        clip.codec.skip_frame = "DEFAULT"
        clip.codec.flush_buffers()
    return found


def read_frames_at(clip: Clip, indices: Sequence[int], render: Render) -> list[Pixels]:
    """Return the frames at these indices in the order of showing, by decoding up to the last."""
    found: list[Pixels] = []
    for index, frame in enumerate(decode_all(clip)):
        if index in indices:
            found.append(_rendered(clip, frame, render))
        if index == indices[-1]:
            break
    clip.codec.flush_buffers()
    return found


def decode_all(clip: Clip) -> Iterator[Frame]:
    """Decode every frame, in the order of showing. A damaged one is ``video_broken``."""
    for packet in [*clip.packets, None]:
        for frame in clip.codec.decode(packet):
            if frame.is_corrupt:
                raise Rejection("video_broken", f"the frame at {frame.time} s is damaged")
            yield frame
    clip.codec.flush_buffers()


def measure(clip: Clip) -> tuple[Timeline, npt.NDArray[np.float64]]:
    """Decode every frame; return when each appears and how much it differs from the last, of 1."""
    stamps: list[int] = []
    changes: list[float] = []
    before: npt.NDArray[np.int16] | None = None
    for frame in decode_all(clip):
        check_pixels(frame.width, frame.height, clip.max_pixels)
        grey = render_grey(frame)
        changes.append(0.0 if before is None else float(np.abs(grey - before).mean()) / 255.0)
        stamps.append(frame.pts)
        before = grey
    if not stamps:
        raise Rejection("video_empty", "no packet of the video stream gives a frame")
    return _decoded_timeline(clip, stamps), np.array(changes)


def _decoded_timeline(clip: Clip, stamps: list[int]) -> Timeline:
    """Trust the frames' own times where the packets have them and they rise; else count."""
    times = np.array(stamps, dtype=np.int64)
    if clip.timeline is not None and (np.diff(times) > 0).all():
        return Timeline(times, max(clip.timeline.end, int(times[-1]) + 1), clip.timeline.unit_s)
    return Timeline(np.arange(len(times)), len(times), 1 / clip.rate)


def _span_indices(packets: Sequence[Packet], wanted: Sequence[int]) -> list[tuple[int, int]]:
    """Return for each wanted frame where to start decoding, and where its own packet is.

    A frame can be shown before the keyframe that it follows; it is made from the one before.
    """
    index_of = {packet.pts: index for index, packet in enumerate(packets)}
    keys = [index for index, packet in enumerate(packets) if packet.is_keyframe]
    pairs: list[tuple[int, int]] = []
    for stamp in wanted:
        index = index_of[stamp]
        starts = [key for key in keys if key <= index and packets[key].pts <= stamp]
        pairs.append((starts[-1] if starts else 0, index))
    return sorted(pairs)


def _decode_span(clip: Clip, key: int, indices: set[int]) -> Iterator[Frame]:
    """Decode from ``key`` to the last of ``indices``, without frames that nothing depends on."""
    can_skip = clip.codec.name in SKIPPING
    for index in range(key, max(indices) + 1):
        clip.codec.skip_frame = "NONREF" if can_skip and index not in indices else "DEFAULT"
        yield from clip.codec.decode(clip.packets[index])
    yield from clip.codec.decode(None)


def _rendered(clip: Clip, frame: Any, render: Render) -> Pixels:  # noqa: ANN401
    check_pixels(frame.width, frame.height, clip.max_pixels)
    return render(frame)
