"""Recordings of spoken digits in noise. Axes: S waveform samples."""

import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from io import BytesIO

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE_HZ = 16_000
LANGUAGES = ("en", "zh")
HELD_OUT_VOICES = {
    "val": ("en-us+m7", "en-gb+f4", "cmn-latn-pinyin+f5", "cmn-latn-pinyin+m4"),
    "test": (
        "en-us+f2",
        "en-gb+m3",
        "en-029+m1",
        "cmn-latn-pinyin+f2",
        "cmn-latn-pinyin+m1",
        "cmn-latn-pinyin+m3",
    ),
}
"""Voices that only this split hears; all others speak in train."""

Waveform = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class SpokenClip:
    """One clean clip of the embedded archive."""

    digit: int
    language: str
    voice: str
    rate: float
    """Speaking rate in syllables per second."""
    waveform: Waveform
    """Mono at 16 kHz, peak near 0.7, shape (S)."""


def load_clips() -> list[SpokenClip]:
    """Decode every clip of the archive in the package, in the order of its index."""
    archive_bytes = (
        resources.files("mmray.data.demo_corpus.embedded").joinpath("speech.zip").read_bytes()
    )
    with zipfile.ZipFile(BytesIO(archive_bytes)) as archive:
        lines = archive.read("index.jsonl").decode().splitlines()
        return [_load_clip(archive, json.loads(line)) for line in lines]


def split_voices(clips: Sequence[SpokenClip]) -> dict[str, list[SpokenClip]]:
    """Give every voice to one split, so that a model is tested on voices it never heard."""
    owners = {voice: split for split, voices in HELD_OUT_VOICES.items() for voice in voices}
    splits: dict[str, list[SpokenClip]] = {"train": [], "val": [], "test": []}
    for clip in clips:
        splits[owners.get(clip.voice, "train")].append(clip)
    return splits


def pick_clip(clips: Sequence[SpokenClip], digit: int, *, rng: np.random.Generator) -> SpokenClip:
    """Draw a clip that says ``digit``, either language as likely."""
    language = LANGUAGES[rng.integers(len(LANGUAGES))]
    fitting = [clip for clip in clips if clip.digit == digit and clip.language == language]
    return fitting[rng.integers(len(fitting))]


def record(clip: SpokenClip, crowd: Sequence[SpokenClip], *, rng: np.random.Generator) -> Waveform:
    """Place ``clip`` somewhere in a noisy recording of about 1.7 s; ``crowd`` babbles behind."""
    length = int(rng.uniform(1.65, 1.75) * SAMPLE_RATE_HZ)
    speech = np.zeros(length, dtype=np.float32)
    start = rng.integers(length - len(clip.waveform) + 1)
    speech[start : start + len(clip.waveform)] = clip.waveform
    power = float(np.mean(clip.waveform**2))
    snr_db = rng.uniform(5, 24)
    noise = _background(length, crowd, rng)
    noise *= np.sqrt(power / 10 ** (snr_db / 10) / np.mean(noise**2))
    mixed = (speech + noise) * 10 ** (rng.uniform(-12, 0) / 20)
    return (mixed * min(1.0, 0.99 / np.abs(mixed).max())).astype(np.float32)


def encode_wav(waveform: Waveform) -> bytes:
    """Return ``waveform`` as a 16-bit mono WAV file."""
    import soundfile  # loads a shared library

    buffer = BytesIO()
    soundfile.write(buffer, waveform, SAMPLE_RATE_HZ, format="WAV", subtype="PCM_16")
    return buffer.getvalue()


def _load_clip(archive: zipfile.ZipFile, entry: dict[str, str | int | float]) -> SpokenClip:
    """Decode one clip; ``entry`` is its line of the index."""
    import soundfile

    waveform, _ = soundfile.read(BytesIO(archive.read(str(entry["clip"]))), dtype="float32")
    return SpokenClip(
        digit=int(entry["digit"]),
        language=str(entry["language"]),
        voice=str(entry["voice"]),
        rate=round(float(entry["syllables"]) / float(entry["seconds"]), 3),
        waveform=np.asarray(waveform, dtype=np.float32),
    )


def _background(length: int, crowd: Sequence[SpokenClip], rng: np.random.Generator) -> Waveform:
    """Mix pink noise, babble and mains hum at random shares, shape (length)."""
    pink, babble, hum = rng.dirichlet((1.5, 0.5, 0.7))
    mixed = pink * _unit(_pink(length, rng)) + babble * _unit(_babble(length, crowd, rng))
    return (mixed + hum * _unit(_hum(length, rng))).astype(np.float32)


def _pink(length: int, rng: np.random.Generator) -> Waveform:
    """Return noise whose power falls with frequency, shape (length)."""
    bins = length // 2 + 1
    spectrum = rng.standard_normal(bins) + 1j * rng.standard_normal(bins)
    spectrum /= np.sqrt(np.maximum(np.arange(bins), 20))
    return np.fft.irfft(spectrum, length).astype(np.float32)


def _babble(length: int, crowd: Sequence[SpokenClip], rng: np.random.Generator) -> Waveform:
    """Return other voices talking over each other, shape (length)."""
    babble = np.zeros(length, dtype=np.float32)
    for number in rng.integers(len(crowd), size=6):
        waveform = crowd[number].waveform
        start = rng.integers(length - len(waveform) + 1)
        babble[start : start + len(waveform)] += waveform
    return babble


def _hum(length: int, rng: np.random.Generator) -> Waveform:
    """Return mains hum with a few harmonics, shape (length)."""
    seconds = np.arange(length) / SAMPLE_RATE_HZ
    mains_hz = rng.choice([50.0, 60.0])
    tones = [np.sin(2 * np.pi * mains_hz * k * seconds + rng.uniform(0, 6)) / k for k in (1, 2, 3)]
    return np.sum(tones, axis=0).astype(np.float32)


def _unit(waveform: Waveform) -> Waveform:
    """Scale ``waveform`` to a mean power of 1."""
    return waveform / np.sqrt(np.mean(waveform**2))
