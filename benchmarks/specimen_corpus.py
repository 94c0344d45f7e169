"""A corpus with one file of every format, and one of every way to be broken.

python -m benchmarks.specimen_corpus FOLDER
mmray check FOLDER/document.yaml --deep
"""

import argparse
import json
import struct
import zlib
from fractions import Fraction
from pathlib import Path

import numpy as np
import soundfile
import yaml

from benchmarks.specimen import RATE_HZ, SPECIMENS, clips, film, films, images

EXTENSIONS = {"text": "txt", "image": "img", "audio": "snd", "video": "mov"}


def broken() -> dict[str, dict[str, bytes]]:
    """Return files that cannot be used, by modality and by what is wrong with them."""
    jpeg, wav, flac = images()["JPEG"], clips()["WAV"], clips()["FLAC"]
    mp4 = films()["MP4 h264"]
    silence = np.zeros(RATE_HZ, dtype=np.float32)
    return {
        "text": {
            "empty": b"",
            "not a text": bytes(range(128, 256)) * 4,
            "invisible": b"\0\1\2 \n",
            "too long": b"word " * 200_001,
        },
        "image": {
            "empty": b"",
            "truncated": jpeg[: len(jpeg) // 2],
            "sound called a picture": wav,
            "page called a picture": b"<!DOCTYPE html><html></html>",
            "bomb": png_header(60_000, 60_000),
            "broken": _damaged(images()["PNG"]),
        },
        "audio": {
            "empty": b"",
            "truncated": wav[: len(wav) // 3],
            "damaged": flac[: len(flac) // 3],
            "no frames": _wav(silence[:0]),
            "silent": _wav(silence),
            "not a number": _wav(np.full(RATE_HZ, np.nan, dtype=np.float32)),
            "picture called a sound": jpeg,
            "too long": _wav(np.full(700 * 1000, 0.1, dtype=np.float32), rate_hz=1000),
            "film without sound": film("mp4", "libx264", None),
        },
        "video": {
            "empty": b"",
            "truncated": mp4[: len(mp4) // 2],
            "sound alone": film("mp4", None, "aac"),
            "picture called a film": jpeg,
            "header alone": mp4[:64],
            "damaged": _damaged_frames(mp4),
            "too long": film("mp4", "libx264", None, frames=2, rate_hz=Fraction(1, 2000)),
            "frames too large": film("mov", "mjpeg", None, frames=1, size=(8192, 4800)),
        },
    }


def write(folder: Path) -> Path:
    """Write the files, the manifest and a document that reads them; return the document."""
    good = {kind: make() for kind, make in SPECIMENS.items()}
    rows = [_row(folder, kind, name, data) for kind, f in good.items() for name, data in f.items()]
    rows += [
        _row(folder, kind, f"broken: {name}", data)
        for kind, files in broken().items()
        for name, data in files.items()
    ]
    rows.append({"sample_id": "image not there", "image": "files/nowhere.img"})
    for number, row in enumerate(rows):
        row |= {"label": "even" if number % 2 == 0 else "odd", "split": "train"}
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    (folder / "manifest.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    path = folder / "document.yaml"
    path.write_text(yaml.safe_dump(_document(folder), sort_keys=False), "utf-8")
    return path


def png_header(width: int, height: int) -> bytes:
    """Return a PNG of a few bytes that promises a picture of any size."""
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    end = b"\0\0\0\0IEND\xae\x42\x60\x82"
    return b"\x89PNG\r\n\x1a\n\0\0\0\x0d" + chunk + struct.pack(">I", zlib.crc32(chunk)) + end


def _row(folder: Path, kind: str, name: str, payload: bytes) -> dict[str, str]:
    place = f"files/{kind}/{name.replace(': ', '-').replace(' ', '_')}.{EXTENSIONS[kind]}"
    (folder / place).parent.mkdir(parents=True, exist_ok=True)
    (folder / place).write_bytes(payload)
    return {"sample_id": f"{kind} {name}", kind: place}


def _document(folder: Path) -> dict[str, object]:
    return {
        "name": "specimens",
        "workspace": str(folder / "work"),
        "data": {"manifest": str(folder / "manifest.jsonl"), "split": {"column": "split"}},
        "modalities": {
            "text": {"column": "text", "payload": "file", "extract": {"kind": "tokens"}},
            "image": {"column": "image", "extract": {"kind": "pixels"}},
            "audio": {"column": "audio", "extract": {"kind": "mfcc"}},
            "video": {"column": "video", "extract": {"kind": "frames"}},
        },
        "tasks": {"label": {"kind": "classification", "column": "label"}},
    }


def _wav(samples: np.ndarray, *, rate_hz: int = RATE_HZ) -> bytes:
    from io import BytesIO

    buffer = BytesIO()
    soundfile.write(buffer, samples, rate_hz, format="WAV", subtype="FLOAT")
    return buffer.getvalue()


def _damaged(payload: bytes) -> bytes:
    middle = len(payload) // 2
    return payload[:middle] + b"\0" * 64 + payload[middle + 64 :]


def _damaged_frames(mp4: bytes) -> bytes:
    """Return a film whose index is whole and whose frames are noise."""
    start = mp4.index(b"mdat") + 4
    noise = np.random.default_rng(0).bytes(4000)
    return mp4[:start] + noise + mp4[start + len(noise) :]


def main() -> None:
    """Write the corpus where the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    path = write(parser.parse_args().folder)
    print(f"mmray check {path} --deep")


if __name__ == "__main__":
    main()
