"""Update the features of every modality to the manifest, in one run."""

import logging
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Event

import numpy as np
import pyarrow as pa

from mmray.config.document import Config
from mmray.core.arrow import pc
from mmray.core.file.atomic import read_success
from mmray.features.fit import learns_by_network
from mmray.features.store import find_gaps
from mmray.features.store.files import remove_changed
from mmray.stages.extraction.compute import Compute
from mmray.stages.extraction.fitted import fit
from mmray.stages.extraction.job import ExtractionJob, PendingRows
from mmray.stages.extraction.outcome import ModalityOutcome, complete_modality
from mmray.stages.extraction.same_content import keep_same_content
from mmray.stages.extraction.target import FeatureTarget, is_up_to_date, limits_of
from mmray.stages.workspace import Workspace

logger = logging.getLogger(__name__)


def extract_modalities(
    workspace: Workspace, *, compute: Compute, refit: bool = False, retry: bool = False
) -> dict[str, ModalityOutcome]:
    """Update every modality's feature folder to the prepared manifest.

    With ``refit`` a state fitted on another train split is not kept; with ``retry`` rejected
    payloads are tried again.
    """
    config, manifest = workspace.config, workspace.prepared.manifest
    ready = partial(_ready, workspace, refit=refit)
    targets = compute.beside(config, ready) if _is_new(config) else ready(Event())
    jobs: dict[str, ExtractionJob] = {}
    for name, target in targets.items():
        assert target.folder is not None  # the state has just been fitted
        if retry or not is_up_to_date(config, target, read_success(target.folder)):
            jobs[name] = _find_job(name, workspace, target, retry=retry)
    figures = compute([job for job in jobs.values() if job.pending])
    # All are completed, even where one is refused; not at the same time: the tables of all would be
    # the most that this process ever holds.
    with ThreadPoolExecutor(max_workers=1) as threads:
        finished = {
            name: threads.submit(
                complete_modality, name, config, manifest, target,
                jobs.get(name), figures.get(name, {}),
            )
            for name, target in targets.items()
        }  # fmt: skip
    return {name: outcome.result() for name, outcome in finished.items()}


def _is_new(config: Config) -> bool:
    """Return whether there is certainly something to compute: a modality has no stored features.

    Not where a network learns: Ray's start needs an environment in which torch would take one
    thread for good.
    """
    root = Path(config.workspace) / "features"
    return not all((root / name).is_dir() for name in config.modalities) and not any(
        map(learns_by_network, config.modalities.values())
    )


def _ready(workspace: Workspace, stop: Event, *, refit: bool) -> dict[str, FeatureTarget]:
    """Find the targets of all features; fit first what is not fitted yet."""
    config, manifest = workspace.config, workspace.prepared.manifest
    find_target = partial(workspace.target, manifest=manifest, refit=refit)
    targets: dict[str, FeatureTarget] = {}
    for name in config.modality_order():
        target = find_target(name)
        is_settled = target.folder and is_up_to_date(config, target, read_success(target.folder))
        if not is_settled and keep_same_content(name, config, manifest, target.wanted):
            target = find_target(name)
        if target.fit is not None and not target.fit.is_done:
            fit(name, config, manifest, target.keys, target.fit, stop=stop)
            target = find_target(name)
        targets[name] = target
    return targets


def _find_job(
    name: str, workspace: Workspace, target: FeatureTarget, *, retry: bool
) -> ExtractionJob:
    """Return the samples that no shard holds yet."""
    config, manifest = workspace.config, workspace.prepared.manifest
    assert target.folder is not None
    listed = (read_success(target.folder) or {}).get("files", {})
    if removed := remove_changed(target.folder, listed):
        logger.warning(
            "%s: %d files were not what was written (%s, ...): removed, and made again",
            target.folder, len(removed), removed[0],
        )  # fmt: skip
    gaps = find_gaps(target.folder, target.wanted, limits=limits_of(config), retry=retry)
    pending = pa.array([*gaps.new, *gaps.changed, *gaps.again], pa.string())
    is_pending = pc.is_in(pa.array(manifest.ids, pa.string()), value_set=pending)
    pending = PendingRows(np.flatnonzero(np.asarray(is_pending)), manifest, name, target.keys)
    target.folder.mkdir(parents=True, exist_ok=True)
    return ExtractionJob(name, config, manifest, target.folder, target.state, pending)
