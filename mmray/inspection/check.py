"""Check: the document, the manifest and the environment, without starting or writing anything."""

import importlib.metadata
import importlib.util
import os
import shutil
import time
from dataclasses import asdict
from pathlib import Path

from mmray.audit.label_report import describe_labels
from mmray.audit.payload_check import check_payloads
from mmray.config.document import Config, LocalRuntime
from mmray.core.report import Report
from mmray.core.spec import FeatureSpec
from mmray.core.text.size import human_bytes
from mmray.data.manifest.manifest import Manifest
from mmray.errors import ConfigError, ExtractionError, located
from mmray.features.spec import spec_of
from mmray.models.fit_check import check_augment, check_model
from mmray.models.pretrained_check import check_pretrained
from mmray.search.preset.preset import search_document
from mmray.stages.prepare import check_manifest, describe_counts, manifest_counts
from mmray.stages.searching.document import check_samples_for
from mmray.stages.workspace import Workspace

MIN_FREE_BYTES = 512 * 2**20
BYTES = {"float32": 4, "int32": 4, "uint8": 1}


def check(config: Config, *, deep: bool = False) -> Report:
    """Check everything that needs no run; the first problem is an error.

    ``deep`` also decodes every payload, which takes time.
    """
    started = time.monotonic()
    specs: dict[str, FeatureSpec] = {}
    for name in config.modality_order():
        with located(f"modalities.{name}.extract"):
            specs[name] = spec_of(config.modalities[name])
    check_model(config.model, {n: m.encode for n, m in config.modalities.items()}, specs)
    check_pretrained(config.modalities, specs)
    check_augment(config.modalities, specs)
    manifest = check_manifest(config)
    counts = manifest_counts(manifest)
    searched = _check_search(config, specs, manifest)
    needed = _features_bytes(specs, {n: _payloads(counts, n) for n in specs})
    free = check_disk(config, needed)
    looked = check_payloads(manifest, config)
    decoded, table = _decode_all(config, manifest) if deep else ({}, ())
    return Report(
        stage="check",
        fingerprint=Workspace(config).prepared_folder.name,
        folder="",
        seconds=round(time.monotonic() - started, 2),
        counts=counts | {"features": {n: spec.to_dict() for n, spec in specs.items()}} | decoded,
        found=_with_verdict(
            config.name,
            *describe_counts(counts),
            *describe_labels(manifest, config),
            *looked,
            *(
                f"{name}: {config.modalities[name].extract.kind} gives {spec.describe()}, "
                f"encoded by {config.modalities[name].encode.kind}"
                for name, spec in specs.items()
            ),
            *searched,
            f"disk: features take up to {human_bytes(needed)}, {human_bytes(free)} free",
            _environment(config),
            *table,
        ),
        next_step="python workflows/fusion.py CONFIG",
    )


def _check_search(
    config: Config, specs: dict[str, FeatureSpec], manifest: Manifest
) -> tuple[str, ...]:
    """Check every branch and bound of the document's search, if it has one."""
    if config.search is None:
        return ()
    found = search_document(config, specs, manifest.split_sizes()["train"])
    check_samples_for(found, specs)
    keys = list(found.search_section().space)
    return (f"search over {len(keys)} keys: {', '.join(keys)}",)


def _with_verdict(name: str, *found: str) -> tuple[str, ...]:
    """Return sentences, first whether there are warnings."""
    warnings = sum(sentence.startswith("warning: ") for sentence in found)
    if not warnings:
        return (f"the document {name!r} is valid", *found)
    plural = "s" * (warnings > 1)
    return (f"the document {name!r} is valid; {warnings} warning{plural} below", *found)


def _decode_all(config: Config, manifest: Manifest) -> tuple[dict[str, object], tuple[str, ...]]:
    """Return the outcome of every payload, as data and as lines of a table."""
    # Not above: a check that is not deep must be quick.
    from mmray.inspection.deep_check import check_deep
    from mmray.inspection.deep_table import describe_deep, sum_up

    rows = check_deep(config, manifest)
    told = (*describe_deep(rows), *sum_up(rows, config.data.max_rejected_fraction))
    return {"decoded": [asdict(row) for row in rows]}, told


def check_disk(config: Config, needed: int) -> int:
    """Return the free bytes at the workspace; too few is an ExtractionError."""
    folder = Path(config.workspace).resolve()
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    if not (existing.is_dir() and os.access(existing, os.W_OK)):
        raise ExtractionError(
            "the workspace cannot be written",
            where=str(existing),
            hint="choose another 'workspace'",
        )
    free = shutil.disk_usage(existing).free
    if free < needed + MIN_FREE_BYTES:
        raise ExtractionError(
            f"not enough disk: features take up to {human_bytes(needed)}, "
            f"{human_bytes(free)} are free",
            where=str(existing),
            hint="choose a 'workspace' on a larger disk, or make features smaller",
        )
    return free


def _payloads(counts: dict[str, object], name: str) -> int:
    payloads = counts["payloads"]
    assert isinstance(payloads, dict)
    return int(payloads[name])


def _features_bytes(specs: dict[str, FeatureSpec], payloads: dict[str, int]) -> int:
    total = 0
    for name, spec in specs.items():
        size = BYTES[spec.dtype]
        for length in spec.shape:
            size *= length
        total += size * payloads[name]
    return total


def _environment(config: Config) -> str:
    versions = ", ".join(
        f"{package} {importlib.metadata.version(package)}" for package in ("ray", "torch", "mlflow")
    )
    if isinstance(config.runtime, LocalRuntime):
        cpus = config.runtime.cpus or os.cpu_count()
        return f"environment: local on {cpus} CPUs; {versions}"
    if importlib.util.find_spec("ray.dashboard.modules.job") is None:
        raise ConfigError("jobs need ray[default]", hint="pip install 'mmray[cluster]'")
    return f"environment: cluster at {config.runtime.address}; {versions}"
