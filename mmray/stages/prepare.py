"""Prepare: check the manifest against the document, split it, write it in normal form."""

import logging
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from functools import partial

from mmray.audit.label_report import label_warnings
from mmray.audit.objective_check import check_measured
from mmray.audit.payload_check import payload_warnings
from mmray.config.document import Config
from mmray.core.file.atomic import read_complete
from mmray.core.kind import Split
from mmray.core.report import Report
from mmray.data.manifest.label_check import check_two_classes
from mmray.data.manifest.manifest import Manifest, write_manifest
from mmray.data.manifest.normalise import normalise
from mmray.data.manifest.probe import probe_references
from mmray.data.table.table import open_corpus
from mmray.errors import ManifestError
from mmray.stages.marker import earlier_report
from mmray.stages.workspace import MANIFEST, Workspace
from mmray.tracking.tracker import Tracker

logger = logging.getLogger(__name__)
STAGE = "prepare"


def run(workspace: Workspace, tracker: Tracker) -> Report:
    """Write ``manifest.parquet`` in the stage's folder."""
    started = time.monotonic()
    config, folder = workspace.config, workspace.prepared_folder
    tracker.identify(workspace.key)
    earlier = earlier_report(folder)
    if earlier is not None:
        return earlier
    manifest = check_manifest(config)
    write_manifest(manifest, folder / MANIFEST)
    counts = manifest_counts(manifest)
    report = Report(
        stage=STAGE,
        fingerprint=folder.name,
        folder=str(folder),
        seconds=round(time.monotonic() - started, 2),
        counts=counts,
        found=(
            *describe_counts(counts),
            *label_warnings(manifest, config),
            *payload_warnings(manifest, config),
        ),
        next_step="mmray extract CONFIG",
    )
    tracker.later(partial(log_settings, workspace, tracker, manifest))
    return workspace.finish(report, files=(MANIFEST,))


def log_settings(workspace: Workspace, tracker: Tracker, manifest: Manifest) -> None:
    """Log the document and the data set; repeating it changes nothing.

    A workflow with other settings has a run of its own, although its manifest was prepared before.
    """
    config, run = workspace.config, tracker.parent()
    run.log_params(config.model_dump(mode="json", exclude={"tracking"}))
    run.log_dataset(
        {
            "name": config.name,
            "digest": workspace.prepared_folder.name,
            "source": config.data.manifest,
            "samples": len(manifest),
            "splits": manifest.split_sizes(),
        }
    )


def check_manifest(config: Config) -> Manifest:
    """Read and check the manifest without writing anything."""
    manifest = normalise(open_corpus(config.data), config)
    with _explained(manifest.warnings):
        check_two_classes(manifest.labels, manifest.splits, config)
        check_measured(config, manifest)
    probe_references(manifest, config)
    return manifest


@contextmanager
def _explained(warnings: Sequence[str]) -> Generator[None]:
    """Add warnings about the corpus to an error about labels: they may be the reason."""
    try:
        yield
    except ManifestError as error:
        error.hint = "; ".join((error.hint, *warnings))
        raise


def open_manifest(workspace: Workspace) -> Manifest:
    """Return the present manifest, prepared or not; writes nothing."""
    if read_complete(workspace.prepared_folder) is not None:
        return workspace.prepared.manifest
    return check_manifest(workspace.config)


def manifest_counts(manifest: Manifest) -> dict[str, object]:
    """Count samples, splits, payloads and labels."""
    return {
        "samples": len(manifest),
        "splits": manifest.split_sizes(),
        "payloads": {
            name: sum(reference is not None for reference in references)
            for name, references in manifest.references.items()
        },
        "labels": {
            name: sum(label is not None for label in labels)
            for name, labels in manifest.labels.items()
        },
    }


def describe_counts(counts: dict[str, object]) -> tuple[str, ...]:
    """Return sentences about the content of the manifest."""
    splits, payloads, labels = counts["splits"], counts["payloads"], counts["labels"]
    assert isinstance(splits, dict)
    assert isinstance(payloads, dict)
    assert isinstance(labels, dict)
    sentences = [
        f"{counts['samples']} samples: "
        + ", ".join(f"{size} {split}" for split, size in splits.items()),
        "payloads: " + ", ".join(f"{count} {name}" for name, count in payloads.items()),
    ]
    if labels:
        sentences.append("labels: " + ", ".join(f"{n} {name}" for name, n in labels.items()))
    empty = [split for split in (Split.VAL, Split.TEST) if not splits[split.value]]
    sentences += [f"warning: the {split.value} split is empty" for split in empty]
    return tuple(sentences)
