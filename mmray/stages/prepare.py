"""Prepare: check the manifest against the document, split it, write it in normal form."""

import logging
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from mmray.audit.label_report import label_warnings
from mmray.audit.objective_check import check_measured
from mmray.audit.payload_check import payload_warnings
from mmray.config.document import Config
from mmray.core.file.atomic import read_complete
from mmray.core.fingerprint import fingerprint
from mmray.core.kind import Split
from mmray.core.report import Report
from mmray.data.manifest.label_check import check_two_classes
from mmray.data.manifest.manifest import Manifest, read_manifest, write_manifest
from mmray.data.manifest.normalise import normalise
from mmray.data.manifest.probe import probe_references
from mmray.data.table.table import corpus_folder, digest_corpus, open_corpus
from mmray.errors import ManifestError
from mmray.stages.workspace import (
    MANIFEST,
    earlier_report,
    finish,
    require_success,
    stage_folder,
    workflow_key,
)
from mmray.tracking.tracker import Tracker

logger = logging.getLogger(__name__)
STAGE = "prepare"
READ_FROM_LABELS = {"kind", "column", "classes", "positive", "separator"}


def run(config: Config, tracker: Tracker) -> Report:
    """Write ``manifest.parquet`` in the stage's folder."""
    started = time.monotonic()
    folder = prepared_folder(config)
    tracker.identify(workflow_key(config, folder.name))
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
    log_settings(config, tracker, folder, manifest)
    return finish(folder, report, config, files=(MANIFEST,))


def log_settings(config: Config, tracker: Tracker, folder: Path, manifest: Manifest) -> None:
    """Log the document and the data set; doing it again changes nothing.

    A workflow with other settings has a run of its own, although its manifest was prepared before.
    """
    run = tracker.parent()
    run.log_params(config.model_dump(mode="json", exclude={"tracking"}))
    run.log_dataset(
        {
            "name": config.name,
            "digest": folder.name,
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
    """Add to an error about the labels what was odd about the corpus: it may be the reason."""
    try:
        yield
    except ManifestError as error:
        error.hint = "; ".join((error.hint, *warnings))
        raise


def prepared_folder(config: Config) -> Path:
    """Return the folder that this document and the manifest's present content stand for."""
    tasks = {
        name: task.model_dump(mode="json", include=READ_FROM_LABELS)
        for name, task in config.tasks.items()
    }
    columns = {name: modality.payload_settings for name, modality in config.modalities.items()}
    data = config.data.model_dump(
        mode="json",
        exclude={
            "manifest",  # its content counts, and not where it lies
            "max_rejected_fraction",
            "max_payload_bytes",
            "max_read_s",
            "max_decode_s",
            "remote_version",
            "refit",
        },
    )
    return stage_folder(
        config, STAGE, fingerprint(data, columns, tasks, digest_corpus(config.data))
    )


def open_prepared(config: Config, tracker: Tracker) -> tuple[Path, Manifest]:
    """Return the prepared manifest and its folder, and tell the tracker which corpus this is."""
    folder = prepared_folder(config)
    require_success(folder, stage=STAGE, error=ManifestError)
    tracker.identify(workflow_key(config, folder.name))
    return folder, _read_prepared(config, folder)


def _read_prepared(config: Config, folder: Path) -> Manifest:
    """Read the manifest in normal form; its corpus may have moved since that was written."""
    return replace(read_manifest(folder / MANIFEST), folder=corpus_folder(config.data))


def open_manifest(config: Config) -> Manifest:
    """Return the manifest as it is now, prepared or not; writes nothing."""
    prepared = prepared_folder(config)
    if read_complete(prepared) is not None:
        return _read_prepared(config, prepared)
    return check_manifest(config)


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
    """Say in sentences what the manifest holds."""
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
