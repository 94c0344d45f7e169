"""Extract: payloads become features, once; what is done already is not done again."""

import logging
import time
from pathlib import Path
from typing import Any

from mmray.assembly.samples import FeatureFolder, open_features
from mmray.config.document import Config
from mmray.core.fingerprint import fingerprint
from mmray.core.report import Report
from mmray.core.word import Split
from mmray.data.manifest import Manifest
from mmray.errors import ExtractionError
from mmray.features.store import read_outcomes
from mmray.stages.modality import ModalityOutcome, extract_modalities, feature_folder, payload_keys
from mmray.stages.prepare import open_prepared
from mmray.stages.workspace import earlier_report, finish, require_success, stage_folder
from mmray.tracking.tracker import Tracker

logger = logging.getLogger(__name__)
STAGE = "extract"


def run(config: Config, tracker: Tracker) -> Report:
    """Bring the features of every modality up to date."""
    started = time.monotonic()
    prepared, manifest = open_prepared(config, tracker)
    outcomes = extract_modalities(config, manifest)
    folder = _folder(config, prepared, {n: o.digest for n, o in outcomes.items()})
    earlier = earlier_report(folder)
    if earlier is not None and not any(outcome.computed for outcome in outcomes.values()):
        return earlier
    counts = _count(manifest, outcomes)
    report = Report(
        stage=STAGE,
        fingerprint=folder.name,
        folder=str(folder),
        seconds=round(time.monotonic() - started, 2),
        counts=counts,
        found=_describe(counts, outcomes),
        next_step="mmray train CONFIG",
    )
    _track(tracker, config, report)
    return finish(
        folder, report, config, features={name: str(o.folder) for name, o in outcomes.items()}
    )


def open_extracted(
    config: Config, prepared: Path, manifest: Manifest
) -> tuple[str, dict[str, FeatureFolder], dict[str, Any]]:
    """Return fingerprint, feature folders in M-axis order, and counts of the complete stage."""
    digests: dict[str, str] = {}
    for name in config.modality_order():
        found = feature_folder(name, config, manifest)
        digests[name] = f"{found.name}-{payload_keys(name, config, manifest)[1]}" if found else ""
    folder = _folder(config, prepared, digests)
    success = require_success(folder, stage=STAGE, error=ExtractionError)
    features = {
        name: open_features(Path(success["features"][name])) for name in config.modality_order()
    }
    return folder.name, features, success["report"]


def _folder(config: Config, prepared: Path, digests: dict[str, str]) -> Path:
    return stage_folder(config, STAGE, fingerprint(prepared.name, digests))


def _count(manifest: Manifest, outcomes: dict[str, ModalityOutcome]) -> dict[str, Any]:
    extracted = {
        name: {sample for sample, (reason, _) in read_outcomes(o.folder).items() if not reason}
        for name, o in outcomes.items()
    }
    has_payload = set[str]().union(*extracted.values())
    usable = dict.fromkeys(Split, 0)
    for row, (sample, split) in enumerate(zip(manifest.ids, manifest.splits, strict=True)):
        is_labelled = any(labels[row] is not None for labels in manifest.labels.values())
        usable[split] += sample in has_payload and is_labelled
    total = sum(usable.values())
    return {
        "samples": len(manifest),
        "usable": total,
        "unusable": len(manifest) - total,
        "usable_by_split": {split.value: count for split, count in usable.items()},
        "modalities": {name: outcome.counts for name, outcome in outcomes.items()},
    }


def _describe(counts: dict[str, Any], outcomes: dict[str, ModalityOutcome]) -> tuple[str, ...]:
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
            lines.append(f"  {name} {reason}: {number}, e.g. {outcome.examples[reason]}")
    return tuple(lines)


def _track(tracker: Tracker, config: Config, report: Report) -> None:
    run = tracker.parent()
    metrics: dict[str, float] = {}
    for name, counts in report.counts["modalities"].items():
        metrics |= {
            f"extract/{name}/extracted": counts["extracted"],
            f"extract/{name}/missing": counts["missing"],
            f"extract/{name}/rejected": sum(counts["rejected"].values()),
        }
        for figure, value in counts["throughput"].items():
            metrics[f"extract/{name}/{figure}"] = value
    metrics["extract/usable"] = report.counts["usable"]
    metrics["seconds/extract"] = report.seconds
    run.log_metrics(metrics)
    for name in config.modalities:
        table = Path(report.counts["modalities"][name]["rejections"])
        run.log_file(table, folder=f"rejections/{name}")
