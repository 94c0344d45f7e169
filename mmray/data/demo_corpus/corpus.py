"""The embedded corpus "digits three ways": a photo, a recording and a note of the same digit."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mmray.core.file.atomic import read_json, replacing, write_json
from mmray.core.fingerprint import digest_file
from mmray.data.demo_corpus.handwriting import Pixels, Scans, load_scans, make_textures, take_photo
from mmray.data.demo_corpus.notes import write_note
from mmray.data.demo_corpus.plan import MODALITIES, PlannedSample, plan_samples
from mmray.data.demo_corpus.speech import (
    SpokenClip,
    encode_wav,
    load_clips,
    pick_clip,
    record,
    split_voices,
)
from mmray.errors import ConfigError, ManifestError

RECIPE = 1
"""Raise it when the same settings no longer give the same bytes."""
FEWEST_SAMPLES = 40


@dataclass(frozen=True, slots=True)
class PayloadCount:
    """Payloads of one modality; the three add up to the samples."""

    present: int
    missing: int
    broken: int


@dataclass(frozen=True, slots=True)
class CorpusSummary:
    """The counts of a written corpus."""

    manifest: Path
    samples: int
    text: PayloadCount
    image: PayloadCount
    audio: PayloadCount


@dataclass(frozen=True, slots=True)
class Material:
    """The plan of the samples."""

    scans: Scans
    textures: Pixels
    clips: dict[str, list[SpokenClip]]
    """Per split, the clips of its own voices."""


def write_corpus(folder: Path, *, samples: int = 1500, seed: int = 7) -> CorpusSummary:
    """Write photos, recordings and ``manifest.jsonl`` below ``folder``.

    The manifest is written last, so that it means that the corpus is complete. A corpus with the
    same settings is left as it is; the same seed gives the same bytes.
    """
    if samples < FEWEST_SAMPLES:
        raise ConfigError(
            f"the embedded corpus cannot be made with {samples} samples",
            hint=f"ask for {FEWEST_SAMPLES} or more",
        )
    manifest = folder / "manifest.jsonl"
    settings = {"recipe": RECIPE, "samples": samples, "seed": seed}
    written = _read_written(folder)
    if written and written["settings"] == settings:
        return _to_summary(manifest, written["counts"])
    manifest.unlink(missing_ok=True)
    plans = plan_samples(samples, seed=seed)
    counts = count_payloads(plans)
    with replacing(manifest) as temporary:
        lines = [json.dumps(entry, ensure_ascii=False) for entry in _write(folder, plans, seed)]
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")
        record = {"settings": settings, "manifest": digest_file(temporary), "counts": counts}
        write_json(folder / "corpus.json", record)
    return _to_summary(manifest, counts)


def count_payloads(plans: list[PlannedSample]) -> dict[str, dict[str, int]]:
    """Count present, missing and broken payloads of each modality."""
    counts: dict[str, dict[str, int]] = {}
    for modality in MODALITIES:
        missing = sum(modality in plan.missing for plan in plans)
        broken = sum(modality in plan.damages for plan in plans)
        count = PayloadCount(len(plans) - missing - broken, missing, broken)
        counts[modality] = asdict(count)
    return counts


def _write(folder: Path, plans: list[PlannedSample], seed: int) -> Iterator[dict[str, Any]]:
    """Write the payloads of every sample and yield its line of the manifest."""
    rng = np.random.default_rng([seed, 1])
    clips = split_voices(load_clips())
    material = Material(load_scans(), make_textures(rng), clips)
    for name in ("photos", "speech"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for plan in plans:
        digit = int(material.scans.digits[plan.scan])
        streams = [np.random.default_rng([seed, 2, plan.number, part]) for part in range(3)]
        yield (
            {
                "sample_id": plan.sample_id,
                "photo": _write_photo(folder, plan, material=material, rng=streams[0]),
                "speech": None,
                "note": None if "text" in plan.missing else write_note(digit, rng=streams[1]),
                "digit": str(digit),
                "rate": None,
                "voice": None,
                "language": None,
            }
            | _write_speech(folder, plan, digit=digit, clips=clips[plan.split], rng=streams[2])
            | {"split": plan.split}
        )


def _write_photo(
    folder: Path, plan: PlannedSample, *, material: Material, rng: np.random.Generator
) -> str | None:
    """Write the photo of one sample and return its media ref, None when it is missing."""
    if "image" in plan.missing:
        return None
    payload = take_photo(material.scans.pixels[plan.scan], material.textures, rng=rng)
    suffix, damage = plan.damages.get("image", (".jpg", None))
    ref = f"photos/{plan.sample_id}{suffix}"
    (folder / ref).write_bytes(damage(payload, rng) if damage else payload)
    return ref


def _write_speech(
    folder: Path,
    plan: PlannedSample,
    *,
    digit: int,
    clips: list[SpokenClip],
    rng: np.random.Generator,
) -> dict[str, str | float]:
    """Write the recording of one sample and return its manifest entry."""
    if "audio" in plan.missing:
        return {}
    clip = pick_clip(clips, digit, rng=rng)
    payload = encode_wav(record(clip, clips, rng=rng))
    suffix, damage = plan.damages.get("audio", (".wav", None))
    ref = f"speech/{plan.sample_id}{suffix}"
    (folder / ref).write_bytes(damage(payload, rng) if damage else payload)
    return {"speech": ref, "rate": clip.rate, "voice": clip.voice, "language": clip.language}


def _read_written(folder: Path) -> dict[str, Any] | None:
    """Return the record of the corpus in ``folder``, None when no complete corpus is there."""
    manifest, record = folder / "manifest.jsonl", folder / "corpus.json"
    if not manifest.is_file():
        return None
    written = read_json(record) if record.is_file() else None
    if written is None or written["manifest"] != digest_file(manifest):
        raise ManifestError(
            "this manifest was not written by the embedded corpus, or was changed since",
            where=str(manifest),
            hint="choose another folder, or delete the manifest to write the corpus again",
        )
    return written


def _to_summary(manifest: Path, counts: dict[str, dict[str, int]]) -> CorpusSummary:
    """Return the summary of a complete corpus."""
    by_modality = {modality: PayloadCount(**count) for modality, count in counts.items()}
    samples = sum(counts["text"].values())
    return CorpusSummary(manifest=manifest, samples=samples, **by_modality)
