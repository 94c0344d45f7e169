"""Clips made on the spot: frames that show their own number, with and without sound."""

from fractions import Fraction
from io import BytesIO

import av
import numpy as np

BITS = 8


def numbered(count, width=64, height=48, first=0):
    """Frames whose columns, black or white, spell the frame's number in binary."""
    bars = np.arange(width) * BITS // width
    for number in range(first, first + count):
        row = np.where((number >> bars) & 1, 235, 20).astype(np.uint8)
        yield np.broadcast_to(row[None, :, None], (height, width, 3))


def numbers_of(frames):
    """Read back the numbers of ``(T, H, W, 3)``."""
    brightness = np.asarray(frames)[..., 1].mean(axis=1)  # (T, W)
    centres = (np.arange(BITS) * 2 + 1) * brightness.shape[1] // (2 * BITS)
    return [int(((row[centres] > 127) << np.arange(BITS)).sum()) for row in brightness]


def clip(frames, *, rate_hz=25, container="mp4", codec="libx264", times_s=None, rotation=None,
         mirrored=False, sound=None, pixels="yuv420p", **options):  # fmt: skip
    """Encode frames of ``(H, W, 3)``; ``times_s`` gives each its own time, ``sound`` is mono."""
    stream = BytesIO()
    frames = list(frames)
    with av.open(stream, "w", format=container) as target:
        video = target.add_stream(codec, rate=rate_hz, options=options)
        video.height, video.width = frames[0].shape[:2]
        video.pix_fmt = "yuvj420p" if codec == "mjpeg" else pixels
        video.thread_count = 1
        if times_s is not None:
            video.codec_context.time_base = Fraction(1, 1000)
        if rotation is not None or mirrored:
            video.set_display_rotation(rotation or 0, hflip=mirrored)
        audio = None if sound is None else target.add_stream("aac", rate=16_000, layout="mono")
        for place, pixel in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixel), "rgb24")
            if times_s is not None:
                frame.time_base, frame.pts = Fraction(1, 1000), round(times_s[place] * 1000)
            target.mux(video.encode(frame))
        target.mux(video.encode(None))
        if audio is not None:
            _add_sound(target, audio, sound)
    return stream.getvalue()


def sound_only(sound):
    """An MP4 without a video stream."""
    stream = BytesIO()
    with av.open(stream, "w", format="mp4") as target:
        _add_sound(target, target.add_stream("aac", rate=16_000, layout="mono"), sound)
    return stream.getvalue()


def _add_sound(target, audio, sound):
    samples = np.asarray(sound, dtype=np.float32)
    for start in range(0, len(samples), 1024):
        piece = np.ascontiguousarray(samples[None, start : start + 1024])
        frame = av.AudioFrame.from_ndarray(piece, "fltp", "mono")
        frame.sample_rate, frame.pts, frame.time_base = 16_000, start, Fraction(1, 16_000)
        target.mux(audio.encode(frame))
    target.mux(audio.encode(None))


def moving_scene(count, width=160, height=120, seed=0):
    """A view that pans over a textured plane: real motion in every frame."""
    generator = np.random.default_rng(seed)
    coarse = generator.integers(0, 255, (height // 8 + 40, width // 8 + 80, 3), dtype=np.uint8)
    plane = np.kron(coarse, np.ones((8, 8, 1), dtype=np.uint8))
    for number in range(count):
        left = 5 * number % (plane.shape[1] - width)
        top = 2 * number % (plane.shape[0] - height)
        yield plane[top : top + height, left : left + width]
