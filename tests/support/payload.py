"""Payloads made on the spot: pictures and clips, whole and broken."""

from io import BytesIO

import numpy as np
import soundfile
from PIL import Image


def encode_image(image, format="PNG", **options):
    stream = BytesIO()
    image.save(stream, format, **options)
    return stream.getvalue()


def photo(width=96, height=64, seed=0):
    """Smooth colours with some noise, so that it resembles a photograph."""
    generator = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:height, 0:width]
    phases = generator.uniform(0, 6, (3, 3))
    colours = [
        127
        + 80 * np.sin(rows / 9 + a) * np.cos(columns / 7 + b)
        + 20 * np.sin(rows * columns / 99 + c)
        for a, b, c in phases
    ]
    noise = generator.normal(0, 6, (height, width, 3))
    return Image.fromarray(np.clip(np.stack(colours, -1) + noise, 0, 255).astype(np.uint8))


def photo_payload(width=96, height=64, seed=0, format="PNG"):
    return encode_image(photo(width, height, seed), format)


def tone(seconds=1.0, rate_hz=16_000, hz=440.0, seed=0):
    times = np.arange(int(seconds * rate_hz)) / rate_hz
    noise = np.random.default_rng(seed).normal(0, 0.02, times.size)
    return (0.5 * np.sin(2 * np.pi * hz * times) + noise).astype(np.float32)


def clip_payload(samples, rate_hz=16_000, format="WAV", subtype=None):
    stream = BytesIO()
    soundfile.write(stream, samples, rate_hz, format=format, subtype=subtype)
    return stream.getvalue()
