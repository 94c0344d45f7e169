"""MFCC of one-second clips, against librosa called per clip.

    python -m benchmarks.mfcc [--json] [--rounds 3]

Both get the same decoded clips at 16 kHz in memory, run in one thread and give all frames with the
same settings. The outputs must agree within 1e-3; the largest difference is in 'settings'.
"""

import os
import time

os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"
os.environ["NUMBA_NUM_THREADS"] = "1"

import librosa
import numpy as np

from benchmarks.report import Comparison, parse, tell
from mmray.features.audio.spectrum.mel import LogMel
from mmray.features.audio.spectrum.mfcc import Mfcc
from mmray.media.audio.segment import AudioClip

CLIPS, RATE_HZ = 400, 16_000
SETTINGS = {"coefficients": 20, "mels": 128, "fft_size": 2048, "hop": 512}
TOLERANCE = 1e-3
MFCC = Mfcc(
    LogMel(
        RATE_HZ,
        mels=SETTINGS["mels"],
        fft_size=SETTINGS["fft_size"],
        hop=SETTINGS["hop"],
        top_db=80.0,
    ),
    mels=SETTINGS["mels"],
    coefficients=SETTINGS["coefficients"],
    deltas=0,
)


def make_clips() -> list[AudioClip]:
    """Return tones that glide, in noise."""
    generator = np.random.default_rng(0)
    times = np.arange(RATE_HZ) / RATE_HZ
    clips: list[AudioClip] = []
    for _ in range(CLIPS):
        start_hz, end_hz = generator.uniform(80, 4_000, 2)
        phase = 2 * np.pi * (start_hz * times + (end_hz - start_hz) * times**2 / 2)
        samples = 0.4 * np.sin(phase) + generator.normal(0, 0.02, RATE_HZ)
        clips.append(AudioClip((samples.astype(np.float32),)))
    return clips


def by_librosa(clips: list[AudioClip]) -> list[np.ndarray]:
    """Return ``(T, F)`` per clip."""
    return [
        librosa.feature.mfcc(
            y=clip.segments[0],
            sr=RATE_HZ,
            n_mfcc=SETTINGS["coefficients"],
            n_mels=SETTINGS["mels"],
            n_fft=SETTINGS["fft_size"],
            hop_length=SETTINGS["hop"],
        ).T
        for clip in clips
    ]


def by_mmray(clips: list[AudioClip]) -> list[np.ndarray]:
    """Return ``(T, F)`` per clip."""
    return [MFCC(clip.segments[0]) for clip in clips]


def main() -> None:
    """Measure both ways in turn, after one clip each that is not counted."""
    options = parse(__doc__ or "")
    clips = make_clips()
    by_librosa(clips[:1]), by_mmray(clips[:1])
    ours: list[float] = []
    other: list[float] = []
    difference = 0.0
    for _ in range(options.rounds):
        started = time.perf_counter()
        expected = by_librosa(clips)
        between = time.perf_counter()
        found = by_mmray(clips)
        ended = time.perf_counter()
        other.append(CLIPS / (between - started))
        ours.append(CLIPS / (ended - between))
        difference = max(difference, float(np.abs(np.stack(found) - np.stack(expected)).max()))
    if difference > TOLERANCE:
        raise SystemExit(f"the outputs differ by {difference}, more than {TOLERANCE}")
    tell(
        Comparison(
            name="mfcc",
            claim="MFCC of one-second clips at 16 kHz against librosa.feature.mfcc per clip",
            unit="clips/s",
            ours=ours,
            other=other,
            other_name=f"librosa {librosa.__version__}",
            is_larger_better=True,
            settings={
                **SETTINGS, "clips": CLIPS, "rate_hz": RATE_HZ, "threads": 1,
                "rounds": options.rounds, "tolerance": TOLERANCE,
                "largest_difference": difference,
            },
        ),
        as_json=options.json,
    )  # fmt: skip


if __name__ == "__main__":
    main()
