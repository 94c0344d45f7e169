"""A small corpus of clips whose pictures and sound together give the label.

    python -m tests.support.video_corpus FOLDER

A disc moves left or right, and a tone is low or high: each tells half of the label. A few
clips have no sound, one is cut off.
"""

import csv
import sys
from pathlib import Path

import numpy as np

from tests.support.video import clip

WIDTH, HEIGHT, FRAMES, RATE_HZ = 64, 48, 24, 12
SILENT = (5, 17, 29)
CUT_OFF = 11


def write_video_corpus(folder, count=60, seed=0):
    """Write ``clips/*.mp4`` and ``manifest.csv``; return the path of the manifest."""
    (folder / "clips").mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(seed)
    rows = []
    for number in range(count):
        direction, pitch = ("left", "right")[number % 2], ("low", "high")[number // 2 % 2]
        sound = None if number in SILENT else make_tone(pitch, generator)
        payload = clip(make_disc(direction, generator), rate_hz=RATE_HZ, sound=sound)
        if number == CUT_OFF:
            payload = payload[: len(payload) * 2 // 3]
        name = f"clips/{number:03}.mp4"
        (folder / name).write_bytes(payload)
        split = ("train", "train", "train", "val", "test")[number // 4 % 5]
        rows.append((f"v{number:03}", name, f"{direction} {pitch}", split))
    path = folder / "manifest.csv"
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows([("sample_id", "clip", "label", "split"), *rows])
    return path


def make_disc(direction, generator):
    """Frames of a bright disc that crosses two thirds of a dim, noisy picture."""
    start = generator.uniform(0.05, 0.25) * WIDTH
    places = start + np.linspace(0, 0.65 * WIDTH, FRAMES)
    if direction == "left":
        places = WIDTH - places
    radius, middle = generator.uniform(5, 8), generator.uniform(0.3, 0.7) * HEIGHT
    colour = generator.uniform(160, 240, 3)
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    for place in places:
        inside = (columns - place) ** 2 + (rows - middle) ** 2 < radius**2
        noise = generator.normal(40, 8, (HEIGHT, WIDTH, 3))
        yield np.clip(np.where(inside[..., None], colour, noise), 0, 255).astype(np.uint8)


def make_tone(pitch, generator, rate_hz=16_000):
    """A tone as long as the frames, low or high, with some noise."""
    hz = generator.uniform(250, 450) if pitch == "low" else generator.uniform(900, 1500)
    times = np.arange(FRAMES * rate_hz // RATE_HZ) / rate_hz
    noise = generator.normal(0, 0.02, len(times))
    return 0.4 * np.sin(2 * np.pi * hz * times) + noise


if __name__ == "__main__":
    print(write_video_corpus(Path(sys.argv[1])))
