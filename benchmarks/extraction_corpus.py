"""A corpus for measuring extraction: N samples of a note, a photo and a clip, cheap to make.

A few hundred different payloads are written; further samples are hard links to them, so that each
has a file of its own and the disk is not what is measured.
"""

import json
import os
from io import BytesIO
from pathlib import Path

import numpy as np
import soundfile
from PIL import Image

from mmray.config.document import Config
from mmray.config.reading.load import check_document

DISTINCT = 200
USUAL = {"photo_px": (640, 480), "clip_s": 5.0}
"""Payloads as people have them: a JPEG of 157 KB, five seconds of speech."""
RATE_HZ = 16_000
WORDS = tuple(f"word{number}" for number in range(400))
MODALITIES = {
    "text": {
        "column": "note",
        "extract": {"kind": "tokens", "vocabulary": 1000, "max_tokens": 48},
    },
    "image": {"column": "photo", "extract": {"kind": "pixels", "height": 64, "width": 64}},
    "audio": {"column": "speech", "extract": {"kind": "mfcc", "coefficients": 40}},
}


def write_corpus(
    folder: Path,
    samples: int,
    *,
    distinct: int = DISTINCT,
    photo_px: tuple[int, int] = (200, 160),
    clip_s: float = 1.0,
) -> Path:
    """Write ``samples`` samples into ``folder`` and return the manifest."""
    folder.mkdir(parents=True)
    distinct = min(distinct, samples)
    generator = np.random.default_rng(0)
    for number in range(distinct):
        (folder / f"{number}.jpg").write_bytes(_photo(generator, photo_px))
        (folder / f"{number}.wav").write_bytes(_clip(generator, clip_s))
    with (folder / "manifest.jsonl").open("w", encoding="utf-8") as manifest:
        for number in range(samples):
            row = {"sample_id": f"s{number}", "label": "ab"[number % 2]}
            row["note"] = " ".join(generator.choice(WORDS, 30)) + f" {number}"
            for column, suffix in (("photo", "jpg"), ("speech", "wav")):
                row[column] = f"{number}.{suffix}"
                if number >= distinct:
                    os.link(folder / f"{number % distinct}.{suffix}", folder / row[column])
            manifest.write(json.dumps(row) + "\n")
    return folder / "manifest.jsonl"


def make_config(manifest: Path, workspace: Path, **sections: object) -> Config:
    """Return the document, checked."""
    return check_document(document_of(manifest, workspace, **sections), where="benchmark")


def document_of(manifest: Path, workspace: Path, **sections: object) -> dict[str, object]:
    """Return the document: tokens of the note, pixels of the photo, MFCC of the clip."""
    document = {
        "name": "extraction",
        "workspace": str(workspace),
        "data": {"manifest": str(manifest), "id": "sample_id"},
        "modalities": MODALITIES,
        "tasks": {"label": {"kind": "classification", "column": "label"}},
        "tracking": {"uri": "memory://"},
    }
    return document | sections


def _photo(generator: np.random.Generator, size_px: tuple[int, int]) -> bytes:
    """Return a JPEG with detail at all scales, the finer the weaker, as photographs have it."""
    columns, rows = size_px
    frequency = np.hypot(np.fft.fftfreq(rows)[:, None], np.fft.fftfreq(columns)[None, :])
    frequency[0, 0] = 1.0
    noise = np.fft.fft2(generator.normal(size=(3, rows, columns)))
    picture = np.fft.ifft2(noise / frequency).real  # (3, rows, columns)
    picture = 127 + 50 * picture / picture.std()
    stream = BytesIO()
    pixels = picture.clip(0, 255).astype(np.uint8).transpose(1, 2, 0)
    Image.fromarray(pixels).save(stream, "JPEG", quality=85)
    return stream.getvalue()


def _clip(generator: np.random.Generator, length_s: float) -> bytes:
    """Return so many seconds of noisy tone as 16-bit WAV."""
    time_s = np.arange(round(length_s * RATE_HZ)) / RATE_HZ
    pitch_hz = generator.uniform(100, 400)
    noise = generator.normal(size=len(time_s))
    stream = BytesIO()
    tone = 0.3 * np.sin(2 * np.pi * pitch_hz * time_s) + 0.01 * noise
    soundfile.write(stream, tone, RATE_HZ, format="WAV", subtype="PCM_16")
    return stream.getvalue()
