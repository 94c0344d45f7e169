"""AV-MNIST from real parts: reduced handwriting, and a spoken digit under real noise.

    python -m benchmarks.av_mnist.corpus FOLDER --parts PARTS [--train 3000] [--snr-db -14]

PARTS holds ``mnist`` (idx.gz), ``fsdd`` (spoken digits), ``noise`` (environmental sounds) and
``av_mnist/pairs.csv.gz``, which says which go together. As in the set's description (Vielzeuf et
al. 2018), pictures keep their first principal components alone, four of them: the fewest with a
quarter of the energy. They are fitted on all training pictures, whatever the subset.
"""

import argparse
import csv
import gzip
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np
import soundfile
import soxr
from PIL import Image

COMPONENTS = 4
SIDE = 28
RATE_HZ = 8000
LENGTH = 7104
"""Samples of a clip, 0.888 s: 112 frames, one every 64 samples."""
SNR_DB = -14.0
"""Speech above noise. Chosen on the validation split, so that audio alone is 40 to 45 % right."""
SIZES = {"train": 3000, "val": 1000, "test": 2000}
HEADER = ("sample_id", "image", "audio", "digit", "split")


def read_pictures(path: Path) -> np.ndarray:
    """Return an idx file of pictures as (N, 784) float32 from 0 to 255."""
    with gzip.open(path) as stream:
        return np.frombuffer(stream.read(), np.uint8, offset=16).reshape(-1, SIDE**2).astype("f4")


class Reduction:
    """Projection on the first principal components of the training pictures."""

    def __init__(self, pictures: np.ndarray) -> None:
        self._mean = pictures.mean(axis=0)
        centred = pictures - self._mean
        values, vectors = np.linalg.eigh(centred.T @ centred)  # ascending
        self._axes = vectors[:, -COMPONENTS:]  # (784, 4)
        self.energy = float(values[-COMPONENTS:].sum() / values.sum())

    def __call__(self, picture: np.ndarray) -> np.ndarray:
        """Return one picture (784,) as (28, 28) uint8 with nothing but these components."""
        kept = self._mean + (picture - self._mean) @ self._axes @ self._axes.T
        return kept.round().clip(0, 255).astype(np.uint8).reshape(SIDE, SIDE)


@lru_cache(maxsize=4096)
def read_sound(path: Path) -> np.ndarray:
    """Return a recording as mono float32 at 8 kHz."""
    samples, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    return soxr.resample(samples.mean(axis=1), rate_hz, RATE_HZ)


def mix(speech: np.ndarray, noise: np.ndarray, *, start: int, snr_db: float) -> np.ndarray:
    """Return speech, cut or padded, with noise from ``start`` on at the given ratio of powers."""
    clip = np.zeros(LENGTH, np.float32)
    spoken = speech[:LENGTH]
    clip[: len(spoken)] = spoken
    beside = np.resize(np.roll(noise, -start), LENGTH)
    power = np.square(beside).mean()
    if power > 0:
        beside = beside * np.sqrt(np.square(spoken).mean() / power / 10 ** (snr_db / 10))
    mixed = clip + beside
    return mixed / max(1.0, np.abs(mixed).max())


def choose_pairs(path: Path, sizes: dict[str, int]) -> Iterator[dict[str, str]]:
    """Yield the first pairs of each split."""
    taken = dict.fromkeys(sizes, 0)
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            if taken[row["split"]] < sizes[row["split"]]:
                taken[row["split"]] += 1
                yield row


def write_corpus(
    folder: Path, parts: Path, *, sizes: dict[str, int], snr_db: float = SNR_DB, audio: bool = True
) -> Path:
    """Write ``images``, ``audio`` and ``manifest.csv``; return the path of the manifest."""
    for name in ("images", "audio"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    names = ("train-images-idx3-ubyte.gz", "t10k-images-idx3-ubyte.gz")
    pictures = {name: read_pictures(parts / "mnist" / name) for name in names}
    reduce = Reduction(pictures[names[0]][:55_000])
    rows = []
    for number, pair in enumerate(choose_pairs(parts / "av_mnist" / "pairs.csv.gz", sizes)):
        image, sound = f"images/{number:05}.png", f"audio/{number:05}.wav"
        picture = reduce(pictures[pair["mnist_file"]][int(pair["mnist_index"])])
        Image.fromarray(picture).save(folder / image)
        if audio:
            clip = mix(
                read_sound(parts / pair["fsdd_path"]),
                read_sound(parts / pair["noise_path"]),
                start=int(pair["noise_offset_ms"]) * RATE_HZ // 1000,
                snr_db=snr_db,
            )
            soundfile.write(folder / sound, clip, RATE_HZ, subtype="PCM_16")
        rows.append((f"p{number:05}", image, sound if audio else "", pair["digit"], pair["split"]))
    manifest = folder / "manifest.csv"
    with manifest.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([HEADER, *rows])
    return manifest


def main() -> None:
    """Write the corpus and say how large it is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--parts", type=Path, required=True)
    parser.add_argument("--snr-db", type=float, default=SNR_DB)
    parser.add_argument("--no-audio", action="store_true")
    for split, size in SIZES.items():
        parser.add_argument(f"--{split}", type=int, default=size)
    options = parser.parse_args()
    sizes = {split: getattr(options, split) for split in SIZES}
    manifest = write_corpus(
        options.folder,
        options.parts,
        sizes=sizes,
        snr_db=options.snr_db,
        audio=not options.no_audio,
    )
    print(manifest)


if __name__ == "__main__":
    main()
