"""One modality's extraction: what is wanted, what is there, what is computed now."""

import logging
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from mmray.config.document import Config
from mmray.config.modality import ModalityConfig
from mmray.core.atomic import mark_success, read_success, replacing
from mmray.core.fingerprint import digest_lines, fingerprint
from mmray.core.rejection import Rejection
from mmray.core.word import Split
from mmray.data.manifest import Manifest
from mmray.errors import ExtractionError
from mmray.features.build import extractor_identity
from mmray.features.fit import FIT_VERSION, fit_extractor, needs_fit
from mmray.features.payload import payload_key, read_payload
from mmray.features.spec import spec_of
from mmray.features.store import read_outcomes, stored_keys, write_index
from mmray.media.source import PayloadReader
from mmray.stages.computing import Work, compute_on_ray

logger = logging.getLogger(__name__)

REJECTIONS = "rejections.parquet"


@dataclass(frozen=True, slots=True)
class ModalityOutcome:
    """What became of one modality."""

    folder: Path
    digest: str
    """Names the features and the payloads that they were made from."""
    counts: dict[str, Any]
    examples: dict[str, str]
    """Per reason, the id of a sample."""
    computed: int
    """Payloads extracted or rejected now, not before."""
    seconds: float


def extract_modalities(config: Config, manifest: Manifest) -> dict[str, ModalityOutcome]:
    """Bring every modality's feature folder up to date with the manifest, all in one go on Ray."""
    targets = {name: _find_work(name, config, manifest) for name in config.modality_order()}
    done = compute_on_ray([target.work for target in targets.values() if target.work])
    return {
        name: _finish(name, config, manifest, target, done.get(name, {}))
        for name, target in targets.items()
    }


@dataclass(frozen=True, slots=True)
class _Target:
    """Where one modality's features belong, and what is to be computed for that."""

    folder: Path
    state: Path | None
    keys: dict[str, str]
    keys_digest: str
    work: Work | None
    """None if the folder is complete."""


def _find_work(name: str, config: Config, manifest: Manifest) -> _Target:
    keys, keys_digest = payload_keys(name, config, manifest)
    state = _fit(name, config, manifest)
    folder = feature_folder(name, config, manifest)
    assert folder is not None  # the state has just been fitted
    success = read_success(folder)
    if success is not None and success["keys_digest"] == keys_digest:
        return _Target(folder, state, keys, keys_digest, None)
    done = stored_keys(folder)
    references = zip(manifest.ids, manifest.references[name], strict=True)
    todo = [(s, r, keys[s]) for s, r in references if r is not None and done.get(s) != keys[s]]
    folder.mkdir(parents=True, exist_ok=True)
    return _Target(
        folder, state, keys, keys_digest, Work(name, config, manifest, folder, state, todo)
    )


def _finish(
    name: str, config: Config, manifest: Manifest, target: _Target, throughput: dict[str, Any]
) -> ModalityOutcome:
    """Write index and completion marker where something was to be done, and count."""
    folder, work = target.folder, target.work
    seconds = throughput.get("seconds", 0.0)
    if work is not None:
        write_index(folder, target.keys)
        success = _complete(name, config, manifest, folder, target.state) | {
            "keys_digest": target.keys_digest,
            "seconds": seconds,
        }
        mark_success(folder, success)
    computed = len(work.todo) if work is not None else 0
    outcomes = read_outcomes(folder)
    counts = _count(outcomes, len(manifest)) | {
        "computed": computed,
        "seconds": seconds,
        "throughput": throughput,
        "rejections": str(folder / REJECTIONS),
    }
    _check_rejected(name, config, outcomes)
    examples: dict[str, str] = {}
    for sample, (reason, _) in outcomes.items():
        examples.setdefault(reason, sample)
    mark = f"{folder.name}-{target.keys_digest}"
    return ModalityOutcome(folder, mark, counts, examples, computed, seconds)


def payload_keys(name: str, config: Config, manifest: Manifest) -> tuple[dict[str, str], str]:
    """Return the version of every payload that the manifest has, and a digest of them all."""
    modality = config.modalities[name]
    keys = {
        sample: payload_key(reference, manifest.folder, is_inline=modality.is_inline)
        for sample, reference in zip(manifest.ids, manifest.references[name], strict=True)
        if reference is not None
    }
    return keys, digest_lines(f"{sample} {key}" for sample, key in keys.items())


def feature_folder(name: str, config: Config, manifest: Manifest) -> Path | None:
    """Return where this modality's features belong; None while its extractor is not fitted."""
    modality = config.modalities[name]
    state = _state_folder(name, config, manifest) if needs_fit(modality) else None
    if state is not None and read_success(state) is None:
        return None
    mark = fingerprint(extractor_identity(modality, state / "state" if state else None))
    return _root(name, config) / mark


def _root(name: str, config: Config) -> Path:
    return Path(config.workspace) / "features" / name


def _state_folder(name: str, config: Config, manifest: Manifest) -> Path:
    """Name what is fitted by what it is fitted on: the settings and the train split's payloads."""
    modality = config.modalities[name]
    rows = manifest.rows_of(Split.TRAIN)
    references = [manifest.references[name][row] for row in rows]
    keys = [
        payload_key(reference, manifest.folder, is_inline=modality.is_inline)
        for reference in references
        if reference is not None
    ]
    settings = modality.model_dump(mode="json", exclude={"encode"})
    mark = fingerprint(FIT_VERSION, settings, digest_lines(keys))
    return _root(name, config) / f"fitted-{mark}"


def _fit(name: str, config: Config, manifest: Manifest) -> Path | None:
    """Fit the extractor on the train split where it learns something; return the state's folder."""
    modality = config.modalities[name]
    if not needs_fit(modality):
        return None
    folder = _state_folder(name, config, manifest)
    state = folder / "state"
    if read_success(folder) is None:
        logger.info("%s: fitting %s on the train split", name, modality.extract.kind)
        state.mkdir(parents=True, exist_ok=True)
        fit_extractor(modality, train_payloads(name, config, manifest), state)
        mark_success(folder, {"name": name})
    return state


def train_payloads(name: str, config: Config, manifest: Manifest) -> list[bytes]:
    """Return what an extractor may learn from: the readable payloads of the train split."""
    modality = config.modalities[name]
    reader = corpus_reader(config, manifest)
    payloads: list[bytes] = []
    for row in manifest.rows_of(Split.TRAIN):
        reference = manifest.references[name][row]
        if reference is None:
            continue
        payload = read_payload(reader, reference, is_inline=modality.is_inline)
        if not isinstance(payload, Rejection):
            payloads.append(payload)
    return payloads


def corpus_reader(config: Config, manifest: Manifest) -> PayloadReader:
    """Return a reader that stays inside of the corpus."""
    return PayloadReader(
        roots=config.data.allow,
        folder=manifest.folder,
        max_bytes=config.data.max_payload_bytes,
    )


def _complete(
    name: str, config: Config, manifest: Manifest, folder: Path, state: Path | None
) -> dict[str, Any]:
    """Write the table of rejections and return what the completion marker says."""
    outcomes = read_outcomes(folder)
    references = dict(zip(manifest.ids, manifest.references[name], strict=True))
    rejected = sorted(sample for sample, (reason, _) in outcomes.items() if reason)
    uris = [r if isinstance(r := references[sample], str) else "inline" for sample in rejected]
    table = pa.table(
        {
            "sample_id": pa.array(rejected, pa.string()),
            "modality": pa.array([name] * len(rejected), pa.string()),
            "uri": pa.array([uri[:500] for uri in uris], pa.string()),
            "reason": pa.array([outcomes[sample][0] for sample in rejected], pa.string()),
            "detail": pa.array([outcomes[sample][1] for sample in rejected], pa.string()),
        }
    )
    with replacing(folder / REJECTIONS) as temporary:
        pq.write_table(table, temporary)
    modality: ModalityConfig = config.modalities[name]
    return {
        "spec": spec_of(modality).to_dict(),
        "state": str(state) if state else None,
        "settings": modality.model_dump(mode="json", exclude={"encode"}),
        "samples": len(outcomes),
    }


def _count(outcomes: dict[str, tuple[str, str]], samples: int) -> dict[str, Any]:
    reasons = Counter(reason for reason, _ in outcomes.values())
    extracted = reasons.pop("", 0)
    return {
        "extracted": extracted,
        "missing": samples - len(outcomes),
        "rejected": dict(sorted(reasons.items())),
    }


def _check_rejected(name: str, config: Config, outcomes: dict[str, tuple[str, str]]) -> None:
    rejected = [(sample, *o) for sample, o in outcomes.items() if o[0]]
    if not outcomes or len(rejected) / len(outcomes) <= config.data.max_rejected_fraction:
        return
    common = Counter(reason for _, reason, _ in rejected).most_common(3)
    examples = {reason: (sample, detail) for sample, reason, detail in reversed(rejected)}
    listed = "; ".join(
        f"{reason} x {number}, e.g. sample {examples[reason][0]} ({examples[reason][1]})"
        for reason, number in common
    )
    raise ExtractionError(
        f"{len(rejected)} of {len(outcomes)} payloads of {name!r} were rejected: {listed}",
        where=f"modalities.{name}",
        hint="look at these samples; 'data.max_rejected_fraction' is "
        f"{config.data.max_rejected_fraction:g}",
    )
