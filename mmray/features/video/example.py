"""A made-up film: a moving square, and a tone."""

import base64
import io
from typing import Any

import av
import numpy as np

from mmray.config.modality.video import VideoConfig
from mmray.features.audio.example import RATE_HZ, tone

SIDE, FRAMES = 64, 16


def example_film(config: VideoConfig) -> dict[str, Any]:
    """Return the cell of an MP4 file."""
    content = base64.b64encode(_film()).decode()
    return {config.column: f"data:video/mp4;base64,{content}"}


def _film() -> bytes:
    """Return a film of half a second with a moving square, and a tone."""
    stream = io.BytesIO()
    with av.open(stream, "w", format="mp4") as target:
        video: Any = target.add_stream("mpeg4", rate=2 * FRAMES)
        video.width = video.height = SIDE
        sound: Any = target.add_stream("aac", rate=RATE_HZ, layout="mono")
        for number in range(FRAMES):
            pixels = np.zeros((SIDE, SIDE, 3), np.uint8)
            pixels[16:32, 2 * number : 2 * number + 16] = 255
            target.mux(video.encode(av.VideoFrame.from_ndarray(pixels)))
        sound_frame = av.AudioFrame.from_ndarray(tone()[None], format="fltp", layout="mono")
        sound_frame.sample_rate = RATE_HZ
        target.mux([*sound.encode(sound_frame), *sound.encode(None), *video.encode(None)])
    return stream.getvalue()
