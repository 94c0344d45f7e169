"""One modality's extraction: what is wanted, what is there, what is computed now."""

import logging
import time
from collections import Counter
from collections.abc import Iterable
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
from mmray.features.payload import payload_key, read_payload, remote_uris
from mmray.features.remote_version import remote_versions
from mmray.features.spec import spec_of
from mmray.features.store import read_outcomes, stored_keys, write_index
from mmray.media.address import HostGuard
from mmray.media.source import PayloadReader
from mmray.stages.progress import Progress

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


def extract_modality(name: str, config: Config, manifest: Manifest) -> ModalityOutcome:
    """Bring one modality's feature folder up to date with the manifest."""
    started = time.monotonic()
    keys, keys_digest = payload_keys(name, config, manifest)
    state = _fit(name, config, manifest)
    folder = feature_folder(name, config, manifest)
    assert folder is not None  # the state has just been fitted
    success = read_success(folder)
    if success is None or success["keys_digest"] != keys_digest:
        computed = _compute(name, config, manifest, folder, state, keys)
        seconds = round(time.monotonic() - started, 2)
        write_index(folder, keys)
        success = _complete(name, config, manifest, folder, state) | {
            "keys_digest": keys_digest,
            "seconds": seconds,
        }
        mark_success(folder, success)
    else:
        computed, seconds = 0, 0.0
    outcomes = read_outcomes(folder)
    counts = _count(outcomes, len(manifest)) | {
        "computed": computed,
        "seconds": seconds,
        "rejections": str(folder / REJECTIONS),
    }
    _check_rejected(name, config, outcomes)
    examples: dict[str, str] = {}
    for sample, (reason, _) in outcomes.items():
        examples.setdefault(reason, sample)
    return ModalityOutcome(
        folder, f"{folder.name}-{keys_digest}", counts, examples, computed, seconds
    )


def payload_keys(name: str, config: Config, manifest: Manifest) -> tuple[dict[str, str], str]:
    """Return the version of every payload that the manifest has, and a digest of them all."""
    found = _keys(name, config, manifest, range(len(manifest)))
    keys = {manifest.ids[row]: key for row, key in found.items()}
    return keys, digest_lines(f"{sample} {key}" for sample, key in keys.items())


def _keys(name: str, config: Config, manifest: Manifest, rows: Iterable[int]) -> dict[int, str]:
    """Return the version of the payload of each row that has one."""
    is_inline, folder = config.modalities[name].is_inline, manifest.folder
    references = {row: r for row in rows if (r := manifest.references[name][row]) is not None}
    versions: dict[str, str] = {}
    if config.data.remote_version == "etag" and not is_inline:
        guard = HostGuard(folder, config.data.allow)
        uris = remote_uris(list(references.values()), folder)
        versions = remote_versions(uris, guard, max_s=config.data.max_read_s)
    return {
        row: payload_key(reference, folder, is_inline=is_inline, versions=versions)
        for row, reference in references.items()
    }


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
    keys = _keys(name, config, manifest, manifest.rows_of(Split.TRAIN)).values()
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
        max_read_s=config.data.max_read_s,
    )


def _compute(
    name: str,
    config: Config,
    manifest: Manifest,
    folder: Path,
    state: Path | None,
    keys: dict[str, str],
) -> int:
    """Extract what no shard holds yet and return how many samples that were."""
    done = stored_keys(folder)
    pending = [
        (sample, reference)
        for sample, reference in zip(manifest.ids, manifest.references[name], strict=True)
        if reference is not None and done.get(sample) != keys[sample]
    ]
    if not pending:
        return 0
    folder.mkdir(parents=True, exist_ok=True)
    # Here and not above: a run with nothing to compute must not load Ray.
    from mmray.distributed import extraction
    from mmray.distributed.session import connect

    modality = config.modalities[name]
    logger.info("%s: extracting %s of %d samples", name, modality.extract.kind, len(pending))
    plan = extraction.ExtractionPlan(
        name=name,
        config=modality,
        spec=spec_of(modality),
        state=str(state.resolve()) if state else None,
        output=str(folder.resolve()),
        corpus=manifest.folder,
        allow=config.data.allow,
        max_payload_bytes=config.data.max_payload_bytes,
        max_read_s=config.data.max_read_s,
        max_decode_s=config.data.max_decode_s,
    )
    progress = Progress(name, len(pending))
    size = connect(config.runtime)
    todo = [(sample, reference, keys[sample]) for sample, reference in pending]
    units = extraction.cut_units(todo, actors=size.cpus)
    extraction.extract_units(plan, units, actors=size.cpus, on_unit=progress.add)
    return len(pending)


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
