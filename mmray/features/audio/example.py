"""A made-up clip: a tone of half a second."""

import base64
import io
from typing import Any

import numpy as np
import soundfile

from mmray.config.modality.audio import AudioConfig

RATE_HZ = 16_000


def example_sound(config: AudioConfig) -> dict[str, Any]:
    """Return the cell of a WAV file."""
    stream = io.BytesIO()
    soundfile.write(stream, tone(), RATE_HZ, format="WAV", subtype="PCM_16")
    content = base64.b64encode(stream.getvalue()).decode()
    return {config.column: f"data:audio/wav;base64,{content}"}


def tone() -> np.ndarray[Any, Any]:
    """Return half a second of 440 Hz, ``(S,)`` float32."""
    times = np.arange(RATE_HZ // 2) / RATE_HZ
    return (0.3 * np.sin(2 * np.pi * 440 * times)).astype(np.float32)
