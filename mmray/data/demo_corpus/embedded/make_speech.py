"""How ``speech.zip`` was made.

    python -m mmray.data.demo_corpus.embedded.make_speech OUTPUT.zip

Needs the program ``espeak-ng``. Nobody needs to run it to use mmray: the archive is in the package.
"""

import argparse
import io
import json
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray
from scipy.signal import resample_poly

SAMPLE_RATE_HZ = 16_000
PADDING_S = 0.05
SILENCE_LEVEL = 0.01
"""Share of the loudest sample below which the ends of a clip count as silence."""
MIN_SPEECH_S = 0.15
"""Fast syllables of some voices are shorter than this: clicks, left out."""
WORDS_PER_MINUTE = ((110, 160), (160, 210), (210, 260))
"""One clip of each digit and voice is made in each of these ranges of speed."""

# The plain `cmn` voice of espeak-ng 1.51 reads pinyin as English ("si" "four"): not Mandarin.
VOICES = {
    "en": (
        "en-us",
        "en-us+f2",
        "en-us+m7",
        "en-us+klatt2",
        "en-gb",
        "en-gb+f4",
        "en-gb+m3",
        "en-gb-scotland+m5",
        "en-gb-scotland+f1",
        "en-gb-x-rp+f5",
        "en-gb-x-gbclan+m4",
        "en-029+f3",
        "en-029+m1",
        "en-us+f5",
        "en-us-nyc+m2",
        "en-gb-x-gbcwmd+m1",
    ),
    "zh": (
        "cmn-latn-pinyin",
        "cmn-latn-pinyin+f1",
        "cmn-latn-pinyin+f2",
        "cmn-latn-pinyin+f3",
        "cmn-latn-pinyin+f4",
        "cmn-latn-pinyin+f5",
        "cmn-latn-pinyin+m2",
        "cmn-latn-pinyin+m3",
        "cmn-latn-pinyin+m4",
        "cmn-latn-pinyin+m5",
        "cmn-latn-pinyin+m7",
        "cmn-latn-pinyin+klatt2",
        "cmn-latn-pinyin+m1",
        "cmn-latn-pinyin+m6",
        "cmn-latn-pinyin+Annie",
        "cmn-latn-pinyin+Alicia",
    ),
}
DIGITS = {
    "en": ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    "zh": ("零", "一", "二", "三", "四", "五", "六", "七", "八", "九"),
}
DIGIT_SYLLABLES = {"en": (2, 1, 1, 1, 1, 1, 1, 2, 1, 1), "zh": (1,) * 10}
PREFIXES = {
    "en": (("", 0), ("number ", 2), ("it is ", 2), ("digit ", 2)),
    "zh": (("", 0), ("数字", 2), ("这是", 2), ("号码", 2)),
}
"""The words before the digit, and their syllables."""
PREFIX_CHANCES = (0.85, 0.05, 0.05, 0.05)


@dataclass(frozen=True, slots=True)
class Line:
    """The words and the voice of one clip."""

    clip: str
    digit: int
    language: str
    voice: str
    words_per_minute: int
    syllables: int
    text: str


def plan_lines(rng: np.random.Generator) -> Iterator[Line]:
    """Yield every clip to be made: each voice says each digit at three speeds, mostly bare."""
    for language, voices in VOICES.items():
        for voice in voices:
            for digit in range(10):
                for take, (slow, fast) in enumerate(WORDS_PER_MINUTE):
                    chosen = int(rng.choice(len(PREFIX_CHANCES), p=PREFIX_CHANCES))
                    prefix, syllables = PREFIXES[language][chosen]
                    yield Line(
                        clip=f"{voice}/{digit}-{take}.ogg",
                        digit=digit,
                        language=language,
                        voice=voice,
                        words_per_minute=int(rng.integers(slow, fast)),
                        syllables=syllables + DIGIT_SYLLABLES[language][digit],
                        text=prefix + DIGITS[language][digit],
                    )


def speak(line: Line) -> NDArray[np.float32]:
    """Return what espeak-ng says for ``line``, mono at 16 kHz, peak 0.7."""
    with tempfile.TemporaryDirectory() as folder:
        recording = Path(folder) / "line.wav"
        speed = str(line.words_per_minute)
        command = ["espeak-ng", "-v", line.voice, "-s", speed, "-w", str(recording), line.text]
        subprocess.run(command, check=True)
        waveform, rate_hz = soundfile.read(recording, dtype="float32")
    waveform = trim(resample_poly(waveform, SAMPLE_RATE_HZ, rate_hz))
    return (waveform * (0.7 / np.abs(waveform).max())).astype(np.float32)


def trim(waveform: NDArray[np.float32]) -> NDArray[np.float32]:
    """Cut silence from both ends but for 50 ms."""
    loud = np.flatnonzero(np.abs(waveform) > SILENCE_LEVEL * np.abs(waveform).max())
    padding = int(PADDING_S * SAMPLE_RATE_HZ)
    return waveform[max(0, loud[0] - padding) : loud[-1] + padding]


def encode(waveform: NDArray[np.float32]) -> bytes:
    """Return ``waveform`` as Ogg Opus at a low bit rate."""
    buffer = io.BytesIO()
    soundfile.write(
        buffer, waveform, SAMPLE_RATE_HZ, format="OGG", subtype="OPUS", compression_level=0.94
    )
    return buffer.getvalue()


def write_archive(target: Path, *, seed: int = 1) -> None:
    """Write every clip and ``index.jsonl`` to the zip file ``target``."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        index: list[str] = []
        for line in plan_lines(np.random.default_rng(seed)):
            waveform = speak(line)
            seconds = round(len(waveform) / SAMPLE_RATE_HZ - 2 * PADDING_S, 3)
            if seconds < MIN_SPEECH_S:
                continue
            entry = asdict(line) | {"seconds": seconds}
            entry.pop("text")
            index.append(json.dumps(entry))
            archive.writestr(zipfile.ZipInfo(line.clip), encode(waveform))
        archive.writestr(zipfile.ZipInfo("index.jsonl"), "\n".join(index) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path)
    write_archive(parser.parse_args().output)
