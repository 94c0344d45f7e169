"""Completion of a modality's features: marker and rejections."""

import os
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from mmray.config.document import Config
from mmray.config.modality.modality import ModalityConfig
from mmray.core.arrow import pc
from mmray.core.file.atomic import read_success, replacing
from mmray.core.spec import spec_from_dict
from mmray.core.text.secret import masked, masked_document
from mmray.data.manifest.manifest import Manifest
from mmray.errors import ExtractionError
from mmray.features.build import extractor_identity, extractor_tally
from mmray.features.spec import fitted_spec
from mmray.features.store.current import sum_tallies
from mmray.features.store.files import REJECTIONS, list_files
from mmray.features.store.rows import StoredRows
from mmray.features.store.totals import total_statistics

OUTCOME = ("detail", "tally", "content")
"""Columns of the shards that say, with the index, what became of each payload."""


def complete(
    name: str,
    config: Config,
    manifest: Manifest,
    folder: Path,
    state: Path | None,
    current: StoredRows,
) -> dict[str, Any]:
    """Write the table of rejections and return what the completion marker says.

    ``current`` are the rows that count, with the columns ``OUTCOME``.
    """
    modality = config.modalities[name]
    earlier = read_success(folder) or {}
    # The spec of a folder stays: what was trained on it has weights of its sizes.
    told = earlier.get("spec")
    spec = fitted_spec(modality, state) if told is None else spec_from_dict(told)
    _write_rejections(name, manifest, folder, current.table)
    return {
        "spec": spec.to_dict(),
        # From this folder, so that it holds where the workspace is moved.
        "state": os.path.relpath(state, folder) if state else None,
        "settings": masked_document(modality.model_dump(mode="json", exclude={"encode"})),
        "identity": extractor_identity(modality, state),
        "samples": len(current.table),
        "counts": count_outcomes(modality, current.table, len(manifest)),
        "statistics": total_statistics(current, spec),
        "completed": datetime.now(UTC).isoformat(timespec="seconds"),
        "files": list_files(folder, earlier.get("files")),
    }


def _write_rejections(name: str, manifest: Manifest, folder: Path, rows: pa.Table) -> None:
    rejected = _rejected(rows).sort_by("sample_id")
    samples = rejected["sample_id"].to_pylist()
    are_rejected = set(samples)
    row_of = {sample: row for row, sample in enumerate(manifest.ids) if sample in are_rejected}
    references = manifest.references[name]
    uris = [
        masked(r)[:500] if isinstance(r := references[row_of[s]], str) else "inline"
        for s in samples
    ]
    table = pa.table(
        {
            "sample_id": rejected["sample_id"],
            "modality": pa.array([name] * len(samples), pa.string()),
            "uri": pa.array(uris, pa.string()),
            "reason": rejected["reason"],
            "detail": rejected["detail"],
        }
    )
    with replacing(folder / REJECTIONS) as temporary:
        pq.write_table(table, temporary)


def _rejected(rows: pa.Table) -> pa.Table:
    return rows.filter(pc.not_equal(rows["reason"], ""))


def count_outcomes(modality: ModalityConfig, rows: pa.Table, samples: int) -> dict[str, Any]:
    """Count the payloads of ``samples`` by outcome, and what was redacted in them."""
    counted = pc.value_counts(rows["reason"]).to_pylist()
    reasons = {entry["values"]: entry["counts"] for entry in counted}
    extracted = reasons.pop("", 0)
    counts: dict[str, Any] = {
        "extracted": extracted,
        "missing": samples - len(rows),
        "rejected": dict(sorted(reasons.items())),
    }
    if extractor_tally(modality) is not None:
        counts["redacted"] = dict(sorted(sum_tallies(rows).items()))
    return counts


def shown(reference: object, sample: str, *, is_inline: bool) -> str:
    """Return the name of a payload for people: its file, else its sample id."""
    return masked(reference)[:200] if isinstance(reference, str) and not is_inline else sample


def examples_of(name: str, config: Config, manifest: Manifest, rows: pa.Table) -> dict[str, str]:
    """Return the first payload of each reason."""
    references, is_inline = manifest.references[name], config.modalities[name].is_inline
    samples = _first_samples(rows)
    wanted = set(samples.values())
    row_of = {sample: row for row, sample in enumerate(manifest.ids) if sample in wanted}
    return {
        reason: shown(references[row_of[sample]], sample, is_inline=is_inline)
        for reason, sample in samples.items()
    }


def _first_samples(rows: pa.Table) -> dict[str, str]:
    rejected = _rejected(rows)
    first = rejected.group_by("reason", use_threads=False).aggregate([("sample_id", "first")])
    return dict(zip(first["reason"].to_pylist(), first["sample_id_first"].to_pylist(), strict=True))


def check_rejected(name: str, config: Config, rows: pa.Table, examples: Mapping[str, str]) -> None:
    """Raise an ExtractionError if too large a share of payloads is rejected."""
    rejected = _rejected(rows)
    if len(rejected) <= config.data.max_rejected_fraction * len(rows):
        return
    common = Counter(rejected["reason"].to_pylist()).most_common(3)
    details = {row["reason"]: row["detail"] for row in reversed(rejected.to_pylist())}
    listed = "; ".join(
        f"{reason} x {number}, e.g. {examples[reason]} ({details[reason]})"
        for reason, number in common
    )
    raise ExtractionError(
        f"{len(rejected)} of {len(rows)} payloads of {name!r} were rejected: {listed}",
        where=f"modalities.{name}",
        hint="look at these; 'data.max_rejected_fraction' is "
        f"{config.data.max_rejected_fraction:g}",
    )
