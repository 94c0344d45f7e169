"""Sound and video files made on the spot by FFmpeg."""

from io import BytesIO

import av
import numpy as np


def encode_recording(format, *, codec=None, samples=None, rate_hz=48_000, video=False):
    """Return a file with a sound track, a picture track, or both."""
    stream = BytesIO()
    with av.open(stream, "w", format=format) as container:
        picture = _picture_track(container) if video else None
        if codec:
            _write_sound(container, codec, samples, rate_hz)
        if picture:
            _write_pictures(container, picture)
    return stream.getvalue()


def _picture_track(container):
    track = container.add_stream("mpeg4", rate=10)
    track.width, track.height, track.pix_fmt = 64, 48, "yuv420p"
    return track


def _write_pictures(container, track):
    for number in range(10):
        pixels = np.full((48, 64, 3), 20 * number, np.uint8)
        container.mux(track.encode(av.VideoFrame.from_ndarray(pixels)))
    container.mux(track.encode())


def _write_sound(container, codec, samples, rate_hz):
    """Encode mono ``(S,)`` or ``(channels, S)``."""
    planes = np.atleast_2d(samples).astype(np.float32)
    layout = "mono" if len(planes) == 1 else "stereo"
    track = container.add_stream(codec, rate=rate_hz, layout=layout)
    frame = av.AudioFrame.from_ndarray(planes, format="fltp", layout=layout)
    frame.sample_rate, frame.pts = rate_hz, 0
    context = track.codec_context
    resampler = av.AudioResampler(
        format=context.format or "fltp", layout=layout, rate=rate_hz,
        frame_size=context.frame_size or 1024,
    )  # fmt: skip
    for piece in [*resampler.resample(frame), *resampler.resample(None)]:
        container.mux(track.encode(piece))
    container.mux(track.encode())
