"""Extract: payloads become features, once; what is done already is not done again."""

import logging
import time
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from mmray.audit.shared_payload import describe_shared
from mmray.config.document import Config
from mmray.core.arrow import pc
from mmray.core.file.csv_table import write_csv
from mmray.core.kind import Split
from mmray.core.report import Report
from mmray.data.manifest.manifest import Manifest
from mmray.stages.extraction.compute import Compute, OnRay
from mmray.stages.extraction.outcome import ModalityOutcome
from mmray.stages.extraction.update import extract_modalities
from mmray.stages.marker import earlier_report
from mmray.stages.workspace import Workspace
from mmray.tracking.tracker import Tracker

logger = logging.getLogger(__name__)
STAGE = "extract"
MOST_REJECTIONS = 10_000
"""Rows of the table in the tracking store; the files in the feature store have all."""
REJECTION_COLUMNS = ("sample_id", "modality", "reason", "detail", "uri")


def run(
    workspace: Workspace,
    tracker: Tracker,
    *,
    refit: bool = False,
    retry: bool = False,
    compute: Compute | None = None,
) -> Report:
    """Update the features of every modality; see ``extract_modalities``.

    ``compute`` extracts what is missing; the default is Ray.
    """
    started = time.monotonic()
    config, manifest = workspace.config, workspace.prepared.manifest
    tracker.identify(workspace.key)
    workspace.corpus.look_again()
    workspace.open_again(STAGE)
    workspace.workers.release()  # extraction needs their cores
    outcomes = extract_modalities(
        workspace, refit=refit, retry=retry, compute=compute or OnRay(tracker.parent)
    )
    workspace.corpus.save_remote(workspace.folder)
    folder = workspace.extract_folder({name: each.digest for name, each in outcomes.items()})
    earlier = earlier_report(folder)
    if earlier is not None and not any(outcome.computed for outcome in outcomes.values()):
        for outcome in outcomes.values():
            for line in outcome.warnings:
                logger.warning(line.removeprefix("warning: "))
        return _located(earlier, outcomes)
    counts = _count(config, manifest, outcomes)
    report = Report(
        stage=STAGE,
        fingerprint=folder.name,
        folder=str(folder),
        seconds=round(time.monotonic() - started, 2),
        counts=counts,
        found=_describe(config, manifest, counts, outcomes),
        next_step="mmray train CONFIG",
    )
    _track(tracker, config, report)
    return workspace.finish(report, files=[path.name for path in folder.glob("*.csv")])


def _located(report: Report, outcomes: dict[str, ModalityOutcome]) -> Report:
    """Return an earlier report with the rejections where they lie now."""
    counts: dict[str, Any] = report.counts["modalities"]
    found = {
        name: counts[name] | {"rejections": outcome.counts["rejections"]}
        for name, outcome in outcomes.items()
    }
    return replace(report, counts=report.counts | {"modalities": found})


def _count(
    config: Config, manifest: Manifest, outcomes: dict[str, ModalityOutcome]
) -> dict[str, Any]:
    extracted = pa.concat_tables(
        o.rows.filter(pc.equal(o.rows["reason"], "")) for o in outcomes.values()
    )
    ids = pa.array(manifest.ids, pa.string())
    has_payload = pc.is_in(ids, value_set=extracted["sample_id"]).to_pylist()
    has_label = _labelled(config, manifest)
    usable = dict.fromkeys(Split, 0)
    for split, *is_usable in zip(manifest.splits, has_payload, has_label, strict=True):
        usable[split] += all(is_usable)
    total = sum(usable.values())
    return {
        "samples": len(manifest),
        "usable": total,
        "unusable": len(manifest) - total,
        "usable_by_split": {split.value: count for split, count in usable.items()},
        "modalities": {name: outcome.counts for name, outcome in outcomes.items()},
    }


def _labelled(config: Config, manifest: Manifest) -> list[bool]:
    if any(task.column is None for task in config.tasks.values()):
        return [True] * len(manifest)  # an alignment of payloads needs no label
    labels = zip(*manifest.labels.values(), strict=True)
    return [any(label is not None for label in row) for row in labels]


def _describe(
    config: Config,
    manifest: Manifest,
    counts: dict[str, Any],
    outcomes: dict[str, ModalityOutcome],
) -> tuple[str, ...]:
    lines = [
        f"{counts['samples']} samples = {counts['usable']} usable + {counts['unusable']} unusable"
    ]
    for name, outcome in outcomes.items():
        rejected = sum(outcome.counts["rejected"].values())
        lines.append(
            f"{name}: {counts['samples']} = {outcome.counts['extracted']} extracted + "
            f"{outcome.counts['missing']} missing + {rejected} rejected; "
            f"computed {outcome.computed} in {outcome.seconds:.1f} s"
        )
        for reason, number in outcome.counts["rejected"].items():
            lines.append(f"  {name}: {number} {reason}, e.g. {outcome.examples[reason]}")
        if "redacted" in outcome.counts:
            lines.append(f"  {name} redacted: {_listed(outcome.counts['redacted'])}")
        if outcome.fitted:
            lines.append(f"  {name}: {outcome.fitted}")
        lines += outcome.warnings
        if not config.modalities[name].is_inline:  # prepare has compared what the manifest holds
            lines += describe_shared(name, manifest, outcome.rows)
    return tuple(lines)


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{number} {kind}" for kind, number in counts.items()) or "nothing found"


def _track(tracker: Tracker, config: Config, report: Report) -> None:
    """Log how each modality was extracted, and what was rejected, as tables."""
    run, folder = tracker.parent(), Path(report.folder)
    counts = report.counts["modalities"]
    rows = [{"modality": name, **_table_row(counts[name])} for name in config.modalities]
    write_csv(folder / "extraction.csv", rows, dict.fromkeys(key for row in rows for key in row))
    rejected = (
        row
        for name in config.modalities
        for row in pq.read_table(counts[name]["rejections"]).to_pylist()
    )
    write_csv(folder / "rejections.csv", islice(rejected, MOST_REJECTIONS), REJECTION_COLUMNS)
    for name in ("extraction", "rejections"):
        run.log_file(folder / f"{name}.csv", folder="tables")
    run.log_metrics({"usable": report.counts["usable"]})


def _table_row(counts: dict[str, Any]) -> dict[str, Any]:
    figures = {name: counts[name] for name in ("extracted", "missing")}
    figures |= {"rejected": sum(counts["rejected"].values())}
    figures |= {f"redacted {kind}": number for kind, number in counts.get("redacted", {}).items()}
    return figures | counts["throughput"]
