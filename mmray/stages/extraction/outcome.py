"""The outcome of one modality in an extraction."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from mmray.config.document import Config
from mmray.core.file.atomic import mark_success
from mmray.data.manifest.manifest import Manifest
from mmray.features.libraries import libraries_of
from mmray.features.store import read_current, write_current
from mmray.features.store.files import REJECTIONS
from mmray.stages.extraction.completion import (
    OUTCOME,
    check_rejected,
    complete,
    count_outcomes,
    examples_of,
)
from mmray.stages.extraction.job import ExtractionJob
from mmray.stages.extraction.other_libraries import describe_other_libraries
from mmray.stages.extraction.target import FeatureTarget, limits_of


@dataclass(frozen=True, slots=True)
class ModalityOutcome:
    """The outcome of one modality."""

    folder: Path
    digest: str
    """Name of the features and their payloads."""
    counts: dict[str, Any]
    examples: dict[str, str]
    """Per reason, the id of a sample."""
    computed: int
    """Payloads extracted or rejected in this run."""
    seconds: float
    rows: pa.Table
    """``sample_id``, ``reason`` and ``content`` of every payload."""
    fitted: str = ""
    """Report line about the fitted state."""
    warnings: tuple[str, ...] = ()
    """Report lines about features of other library versions."""


def complete_modality(
    name: str,
    config: Config,
    manifest: Manifest,
    target: FeatureTarget,
    job: ExtractionJob | None,
    figures: dict[str, Any],
) -> ModalityOutcome:
    """Complete the folder if something was computed, and count its content."""
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
