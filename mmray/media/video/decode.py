"""Video: from bytes to a few frames. Axes: T frames taken, H height, W width."""

import struct
from collections.abc import Callable
from typing import Any

import numpy as np

from mmray.core.rejection import Rejection
from mmray.media.video.container import check_whole, find_format
from mmray.media.video.render import Frame, Pixels
from mmray.media.video.sampling import (
    Places,
    Sampling,
    VideoLimits,
    choose_frames,
    choose_key_frames,
    choose_scenes,
)

Render = Callable[[Frame], Pixels]
_DECODER_ERRORS = (
    OSError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    EOFError,
    AttributeError,
    NotImplementedError,
    MemoryError,
    RuntimeError,
    struct.error,
)


def decode_video(
    payload: bytes, *, render: Render, sampling: Sampling, limits: VideoLimits, threads: int = 1
) -> Pixels:
    """Return ``(T, H, W, 3)``: the frames of ``sampling``, converted by ``render``.

    The frames are those that decoding everything and picking by presentation time would give, in
    the order of showing, each once. No more than one frame of full size is held beside the
    decoder's own. Rejects ``video_empty``, ``video_unrecognised``, ``video_truncated``,
    ``video_joined``, ``video_broken``, ``video_no_stream``, ``video_unsupported``,
    ``video_too_large`` and ``video_too_long``.
    """
    import av

    if len(payload) > limits.max_bytes:
        raise Rejection("video_too_large", f"{len(payload)} bytes, allowed {limits.max_bytes}")
    container = find_format(payload)
    check_whole(payload, container)
    try:
        from mmray.media.video.clip import open_clip

        with open_clip(payload, container, limits=limits, threads=threads) as clip:
            return np.stack(_take(clip, sampling, render))
    except av.EOFError as error:
        raise Rejection("video_truncated", str(error)) from None
    except (av.FFmpegError, *_DECODER_ERRORS) as error:
        said = getattr(error, "strerror", None) or error  # FFmpeg adds its own numbers and calls
        raise Rejection("video_broken", f"{type(error).__name__}: {said}") from None


def _take(clip: Any, sampling: Sampling, render: Render) -> list[Pixels]:  # noqa: ANN401
    """Read near the wanted times if the packets state them; else decode everything."""
    from mmray.media.video.read import measure, read_frames_at, read_stamps

    timeline = clip.timeline
    if timeline is not None and sampling.kind != "scenes":
        indices = _choose(timeline, clip.key_stamps(), sampling)
        frames = read_stamps(clip, timeline.stamps[indices].tolist(), render)
        if frames is not None:
            return frames
    timeline, changes = measure(clip)
    scenes = choose_scenes(changes, sampling) if sampling.kind == "scenes" else None
    indices = _choose(timeline, clip.key_stamps(), sampling) if scenes is None else scenes
    return read_frames_at(clip, indices.tolist(), render)


def _choose(timeline: Any, key_stamps: list[int], sampling: Sampling) -> Places:  # noqa: ANN401
    """Return the indices of the frames to take, where that depends on their times alone."""
    keys = np.flatnonzero(np.isin(timeline.stamps, key_stamps))
    if sampling.kind == "key_frames" and len(keys):
        return choose_key_frames(timeline.times_s(), timeline.end_s(), keys, sampling)
    return choose_frames(timeline.times_s(), timeline.end_s(), sampling)
