"""The plan of an extraction: what it would compute, how much and why. Starts and writes nothing."""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mmray.config.document import Config
from mmray.core.file.atomic import read_complete, read_success
from mmray.core.report import Report
from mmray.core.spec import spec_from_dict
from mmray.core.text.secret import masked_document
from mmray.core.text.size import human_bytes
from mmray.data.manifest.manifest import Manifest
from mmray.features.build import extractor_identity
from mmray.features.spec import spec_of
from mmray.features.store import Gaps, find_gaps, read_index
from mmray.features.store.index import INDEX
from mmray.stages.extraction.target import FeatureTarget, is_up_to_date, limits_of
from mmray.stages.prepare import open_manifest
from mmray.stages.workspace import Workspace

Marker = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ModalityPlan:
    """The planned computation of one modality."""

    payloads: int
    new: int
    changed: int
    """Stored, but from another version of the payload."""
    again: int
    """Rejected before, to be tried again."""
    removed: int
    """Stored, but no longer in the manifest."""
    bytes: int
    """Bytes of the new features on disk."""
    is_measured: bool
    """Whether ``bytes`` is estimated from stored features; else it is an upper bound."""
    why: tuple[str, ...]
    folder: str
    """Empty while the extractor is not fitted."""

    @property
    def computed(self) -> int:
        """Number of payloads that would be computed."""
        return self.new + self.changed + self.again


def plan(config: Config, *, refit: bool = False, retry: bool = False) -> Report:
    """Report per modality what ``extract`` would compute, and why."""
    started = time.monotonic()
    workspace = Workspace(config)
    prepared = workspace.prepared_folder
    is_prepared = read_complete(prepared) is not None
    manifest = open_manifest(workspace)
    plans = {
        name: plan_modality(name, workspace, manifest, refit=refit, retry=retry)
        for name in config.modality_order()
    }
    return Report(
        stage="plan",
        fingerprint=prepared.name,
        folder="",
        seconds=round(time.monotonic() - started, 2),
        counts={
            "samples": len(manifest),
            "modalities": {
                name: asdict(found) | {"computed": found.computed, "why": list(found.why)}
                for name, found in plans.items()
            },
        },
        found=tuple(line for name, found in plans.items() for line in _describe(name, found)),
        next_step="mmray extract CONFIG" if is_prepared else "mmray prepare CONFIG",
    )


def plan_modality(
    name: str, workspace: Workspace, manifest: Manifest, *, refit: bool, retry: bool
) -> ModalityPlan:
    """Compare the wanted features of one modality with the stored ones."""
    config, target = workspace.config, workspace.target(name, manifest, refit=refit)
    folder = target.folder
    gaps = Gaps(target.wanted["sample_id"].to_pylist(), [], [])
    marker: Marker | None = None
    removed = 0
    if folder is not None:
        marker = read_success(folder)
        if not retry and is_up_to_date(config, target, marker):
            gaps = Gaps([], [], [])
        else:
            gaps = find_gaps(folder, target.wanted, limits=limits_of(config), retry=retry)
        if (folder / INDEX).is_file():
            samples = target.wanted["sample_id"].to_pylist()
            removed = len(read_index(folder).keys() - set(samples))
    nearest = _nearest(name, config, target) if marker is None else None
    size, is_measured = _bytes(name, config, marker or (nearest and nearest[1]))
    return ModalityPlan(
        payloads=len(target.wanted),
        new=len(gaps.new),
        changed=len(gaps.changed),
        again=len(gaps.again),
        removed=removed,
        bytes=int(len(gaps.samples) * size),
        is_measured=is_measured,
        why=tuple(_reasons(target, gaps, removed, marker, nearest)),
        folder=str(folder or ""),
    )


def _reasons(
    target: FeatureTarget,
    gaps: Gaps,
    removed: int,
    marker: Marker | None,
    nearest: tuple[list[str], Marker] | None,
) -> list[str]:
    fit = target.fit
    why = [fit.describe()] if fit and (not fit.is_done or fit.same is not None) else []
    if marker is None and nearest is not None:
        why += nearest[0]
    elif marker is None and gaps.new and not why:
        has_shards = len(gaps.new) < len(target.wanted)
        why.append(
            "an interrupted extraction is resumed" if has_shards else "never extracted before"
        )
    why += [
        f"{count} {what}"
        for count, what in (
            (len(gaps.new) if marker is not None else 0, "new samples"),
            (len(gaps.changed), "changed payloads"),
            (len(gaps.again), "rejected payloads to try again"),
            (removed, "removed samples"),
        )
        if count
    ]
    if not why and gaps.new:
        why.append("the extractor has changed")
    return why or ["nothing has changed"]


def _nearest(name: str, config: Config, target: FeatureTarget) -> tuple[list[str], Marker] | None:
    """Return the differences from the most similar complete folder, and its marker."""
    modality = config.modalities[name]
    settings = masked_document(modality.model_dump(mode="json", exclude={"encode"}))
    decided: Mapping[str, Any] = {}
    if target.folder is not None:
        decided = extractor_identity(modality, target.state)
    found: list[tuple[int, str, list[str], Marker]] = []
    for folder in sorted((Path(config.workspace) / "features" / name).glob("*")):
        marker = read_success(folder)
        if marker is None or "settings" not in marker or "spec" not in marker:
            continue
        differing = list_differences(marker["settings"], settings)
        if not differing and decided and "identity" in marker:
            differing = list_differences(marker["identity"], decided)
        found.append((len(differing), marker.get("completed", ""), differing, marker))
    if not found:
        return None
    least = min(count for count, *_ in found)
    _, _, differing, marker = max(
        (entry for entry in found if entry[0] == least), key=lambda entry: entry[1]
    )
    return differing, marker


def list_differences(before: object, now: object, key: str = "") -> list[str]:
    """Return a line per different setting: its dotted key, old and new value."""
    if isinstance(before, dict) and isinstance(now, dict):
        return [
            line
            for name in sorted({*before, *now})
            for line in list_differences(
                before.get(name), now.get(name), f"{key}.{name}".lstrip(".")
            )
        ]
    if before == now:
        return []
    return [f"{key}: {_short(before)} -> {_short(now)}"]


def _short(value: object) -> str:
    text = "none" if value is None else str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _bytes(name: str, config: Config, marker: Marker | None) -> tuple[float, bool]:
    """Return the size of one feature in bytes, and whether it was measured."""
    spec = spec_of(config.modalities[name])
    most = float(np.prod(spec.shape, dtype=np.int64)) * np.dtype(spec.dtype).itemsize
    if marker is None or not marker.get("samples"):
        return most, False
    stored = sum(entry["bytes"] for entry in marker.get("files", {}).values())
    is_measured = stored > 0 and spec.holds(spec_from_dict(marker["spec"]))
    return (stored / marker["samples"], True) if is_measured else (most, False)


def _describe(name: str, found: ModalityPlan) -> list[str]:
    if not found.computed:
        return [f"{name}: nothing to compute; {'; '.join(found.why)}"]
    size = f"{'about' if found.is_measured else 'at most'} {human_bytes(found.bytes)}"
    head = f"{name}: {found.computed} of {found.payloads} payloads to compute, {size}"
    return [head, *(f"  {line}" for line in found.why)]
