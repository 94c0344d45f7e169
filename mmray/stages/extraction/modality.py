"""One modality's extraction: what is wanted, what is there, what is computed now."""

import logging
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pyarrow as pa

from mmray.config.document import Config
from mmray.core.arrow import pc
from mmray.core.file.atomic import mark_success, read_success
from mmray.core.fingerprint import digest_lines, fingerprint
from mmray.data.manifest.manifest import Manifest
from mmray.features.build import extractor_identity
from mmray.features.fit import learns_by_network
from mmray.features.libraries import libraries_of
from mmray.features.payloads.payload import payload_key, remote_uris
from mmray.features.payloads.remote_version import remote_versions
from mmray.features.store import find_gaps, read_current, write_current
from mmray.features.store.files import REJECTIONS, is_whole, remove_changed
from mmray.features.store.limits import describe_limits
from mmray.features.store.same import first_versions
from mmray.media.location import is_uri
from mmray.media.remote.address import HostGuard
from mmray.stages.extraction.completion import (
    OUTCOME,
    check_rejected,
    complete,
    count_outcomes,
    examples_of,
)
from mmray.stages.extraction.computing import Compute, ExtractionJob, PendingSamples
from mmray.stages.extraction.fitted import Fit, find_fit, fit
from mmray.stages.extraction.other_libraries import describe_other_libraries
from mmray.stages.extraction.same_content import keep_same_content

logger = logging.getLogger(__name__)


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
    rows: pa.Table
    """``sample_id``, ``reason`` and ``content`` of every payload."""
    learnt: str = ""
    """What is to be said of the fitted state."""
    warnings: tuple[str, ...] = ()
    """What is to be said of features that other versions of libraries computed."""


@dataclass(frozen=True, slots=True)
class FeatureTarget:
    """Where one modality's features belong, and which payloads they are to be made from."""

    keys: pa.Array
    """Per row of the manifest: version of its payload; null where there is none."""
    wanted: pa.Table
    """``sample_id`` and ``key`` of every payload."""
    digest: str
    """Of the keys."""
    fit: Fit | None
    folder: Path | None
    """None while the extractor is not fitted."""

    @property
    def state(self) -> Path | None:
        """Folder of the fitted state's files."""
        return self.fit.state if self.fit else None

    @property
    def mark(self) -> str:
        """Names features and payloads; empty while that cannot be known."""
        return f"{self.folder.name}-{self.digest}" if self.folder else ""


def find_target(
    name: str, config: Config, manifest: Manifest, *, refit: bool = False
) -> FeatureTarget:
    """Return where this modality's features belong; touches nothing."""
    keys = payload_keys(name, config, manifest)
    fitted = find_fit(name, config, manifest, keys, refit=refit)
    wanted = pa.table({"sample_id": pa.array(manifest.ids, pa.string()), "key": keys})
    wanted = wanted.filter(wanted["key"].is_valid())
    pairs = pc.binary_join_element_wise(wanted["sample_id"], wanted["key"], " ")
    digest = digest_lines(pairs.to_pylist())
    return FeatureTarget(keys, wanted, digest, fitted, _feature_folder(name, config, fitted))


def payload_keys(name: str, config: Config, manifest: Manifest) -> pa.Array:
    """Return the version of every row's payload; null where a row has none."""
    is_inline, folder = config.modalities[name].is_inline, manifest.folder
    folder = folder if is_uri(folder) else os.path.realpath(folder)
    references = manifest.references[name]
    versions: dict[str, str] = {}
    if config.data.remote_version == "etag" and not is_inline:
        guard = HostGuard(folder, config.data.allow)
        uris = remote_uris(references, folder)
        versions = remote_versions(uris, guard, max_s=config.data.max_read_s)
    keys = [
        None
        if reference is None
        else payload_key(reference, folder, is_inline=is_inline, versions=versions)
        for reference in references
    ]
    root = Path(config.workspace) / "features" / name
    return first_versions(root, pa.array(manifest.ids, pa.string()), pa.array(keys, pa.string()))


def _feature_folder(name: str, config: Config, fitted: Fit | None) -> Path | None:
    if fitted is not None and not fitted.is_done:
        return None
    identity = extractor_identity(config.modalities[name], fitted.state if fitted else None)
    return Path(config.workspace) / "features" / name / fingerprint(identity)


def extract_modalities(
    config: Config,
    manifest: Manifest,
    *,
    compute: Compute,
    refit: bool = False,
    retry: bool = False,
) -> dict[str, ModalityOutcome]:
    """Bring every modality's feature folder up to date with the manifest, all in one go.

    With ``refit`` what was learnt from another train split is not kept; with ``retry`` rejected
    payloads are tried again.
    """
    ready = partial(_ready, config, manifest, refit=refit)
    targets = compute.beside(config, ready) if _is_new(config) else ready(Event())
    jobs: dict[str, ExtractionJob] = {}
    for name, target in targets.items():
        assert target.folder is not None  # the state has just been fitted
        if retry or not is_up_to_date(config, target, read_success(target.folder)):
            jobs[name] = _find_job(name, config, manifest, target, retry=retry)
    figures = compute([job for job in jobs.values() if job.pending])
    # All are completed, even where one is refused; not at the same time: the tables of all would be
    # the most that this process ever holds.
    with ThreadPoolExecutor(max_workers=1) as threads:
        finished = {
            name: threads.submit(
                _finish, name, config, manifest, target, jobs.get(name), figures.get(name, {})
            )
            for name, target in targets.items()
        }
    return {name: outcome.result() for name, outcome in finished.items()}


def _is_new(config: Config) -> bool:
    """Say whether there is certainly something to compute: a modality has nothing stored at all.

    Not where a network learns: Ray's start needs an environment in which torch would take one
    thread for good.
    """
    root = Path(config.workspace) / "features"
    return not all((root / name).is_dir() for name in config.modalities) and not any(
        map(learns_by_network, config.modalities.values())
    )


def _ready(
    config: Config, manifest: Manifest, stop: Event, *, refit: bool
) -> dict[str, FeatureTarget]:
    """Find where all features belong; fit first what is not fitted yet."""
    targets: dict[str, FeatureTarget] = {}
    for name in config.modality_order():
        target = find_target(name, config, manifest, refit=refit)
        is_settled = target.folder and is_up_to_date(config, target, read_success(target.folder))
        if not is_settled and keep_same_content(name, config, manifest, target.wanted):
            target = find_target(name, config, manifest, refit=refit)
        if target.fit is not None and not target.fit.is_done:
            fit(name, config, manifest, target.keys, target.fit, stop=stop)
            target = find_target(name, config, manifest, refit=refit)
        targets[name] = target
    return targets


def _find_job(
    name: str, config: Config, manifest: Manifest, target: FeatureTarget, *, retry: bool
) -> ExtractionJob:
    """Return what no shard holds yet."""
    assert target.folder is not None
    listed = (read_success(target.folder) or {}).get("files", {})
    if removed := remove_changed(target.folder, listed):
        logger.warning(
            "%s: %d files were not what was written (%s, ...): removed, and made anew",
            target.folder, len(removed), removed[0],
        )  # fmt: skip
    gaps = find_gaps(target.folder, target.wanted, limits=limits_of(config), retry=retry)
    pending = pa.array([*gaps.new, *gaps.changed, *gaps.again], pa.string())
    is_pending = pc.is_in(pa.array(manifest.ids, pa.string()), value_set=pending)
    pending = PendingSamples(np.flatnonzero(np.asarray(is_pending)), manifest, name, target.keys)
    target.folder.mkdir(parents=True, exist_ok=True)
    return ExtractionJob(name, config, manifest, target.folder, target.state, pending)


def _finish(
    name: str,
    config: Config,
    manifest: Manifest,
    target: FeatureTarget,
    job: ExtractionJob | None,
    figures: dict[str, Any],
) -> ModalityOutcome:
    """Complete the folder where something was to be done, and count."""
    folder = target.folder
    assert folder is not None
    seconds = figures.get("seconds", 0.0)
    if job is None:
        current = read_current(folder, OUTCOME)
    else:
        current = write_current(folder, target.wanted, OUTCOME)
        marker = complete(name, config, manifest, folder, target.state, current)
        marker |= {"keys_digest": target.digest, "limits": limits_of(config), "seconds": seconds}
        mark_success(folder, marker)
    computed = len(job.pending) if job is not None else 0
    rows = current.table
    examples = examples_of(name, config, manifest, rows)
    check_rejected(name, config, rows, examples)
    counts = count_outcomes(config.modalities[name], rows, len(manifest)) | {
        "computed": computed,
        "seconds": seconds,
        "throughput": figures,
        "rejections": str(folder / REJECTIONS),
    }
    return ModalityOutcome(
        folder, target.mark, counts, examples, computed, seconds,
        rows.select(["sample_id", "reason", "content"]),
        target.fit.describe() if target.fit and target.fit.same is not None else "",
        describe_other_libraries(name, current, libraries_of(config.modalities[name])),
    )  # fmt: skip


def is_up_to_date(config: Config, target: FeatureTarget, marker: Mapping[str, Any] | None) -> bool:
    """Say whether the folder stands for exactly these payloads, and its files are all there."""
    return (
        target.folder is not None
        and marker is not None
        and marker["keys_digest"] == target.digest
        and marker.get("limits") == limits_of(config)
        and "files" in marker
        and is_whole(target.folder, marker["files"])
    )


def limits_of(config: Config) -> dict[str, Any]:
    """Return the settings of the corpus that reject payloads."""
    return describe_limits(
        allow=config.data.allow,
        max_payload_bytes=config.data.max_payload_bytes,
        max_decode_s=config.data.max_decode_s,
    )
