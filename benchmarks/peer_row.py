"""One sample, the way that other systems' examples work it: a function of a row.

In a file of its own, as processes of others import it.
"""

from functools import cache
from pathlib import Path

MODALITIES = {
    "text": {"column": "note", "extract": {"kind": "bow", "hashing": True, "vocabulary": 512}},
    "image": {"column": "photo", "extract": {"kind": "pixels", "height": 64, "width": 64}},
    "audio": {"column": "speech", "extract": {"kind": "mfcc", "coefficients": 40}},
}


def configure(manifest: Path, workspace: Path, **sections):
    """Return the document."""
    from benchmarks.extraction_corpus import make_config

    return make_config(manifest, workspace, modalities=MODALITIES, **sections)


@cache
def modalities() -> dict:
    """Return the settings of all modalities."""
    return configure(Path("manifest.jsonl"), Path()).modalities


@cache
def extractors() -> dict:
    """Build the extractors, once per process."""
    from mmray.features.build import build_extractor

    return {name: build_extractor(modality, None) for name, modality in modalities().items()}


def work_row(row: dict) -> dict:
    """Read, decode and extract one sample."""
    payloads = {
        "text": row["note"].encode(),
        "image": Path(row["photo"]).read_bytes(),
        "audio": Path(row["speech"]).read_bytes(),
    }
    features = {
        name: extractor.extract([extractor.decode(payloads[name])])[0]
        for name, extractor in extractors().items()
    }
    return {"sample_id": row["sample_id"]} | features


def work_row_usual(row: dict) -> dict:
    """The same features with Pillow and librosa, called as their examples call them."""
    import librosa
    import numpy as np
    from PIL import Image

    rate_hz = modalities()["audio"].decode.sample_rate_hz
    settings = modalities()["audio"].extract
    photo = Image.open(row["photo"]).convert("RGB")
    side = min(photo.size)
    left, top = (photo.width - side) // 2, (photo.height - side) // 2
    photo = photo.crop((left, top, left + side, top + side))
    samples, _ = librosa.load(row["speech"], sr=rate_hz)
    frames = librosa.feature.mfcc(
        y=samples,
        sr=rate_hz,
        n_mfcc=settings.coefficients,
        n_mels=settings.mels,
        n_fft=settings.fft_size,
        hop_length=settings.hop,
    )
    text = extractors()["text"]
    return {
        "sample_id": row["sample_id"],
        "text": text.extract([text.decode(row["note"].encode())])[0],
        "image": np.asarray(photo.resize((64, 64), Image.Resampling.BILINEAR)),
        "audio": frames.T,
    }


def work_row_flat(row: dict) -> dict:
    """The same for those who take flat arrays only."""
    return {
        name: value if isinstance(value, str) else value.ravel()
        for name, value in work_row(row).items()
    }
