"""The target of one modality's features, and whether it is up to date."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from mmray.config.document import Config
from mmray.core.arrow import pc
from mmray.core.fingerprint import digest_lines, fingerprint
from mmray.data.manifest.manifest import Manifest
from mmray.features.build import extractor_identity
from mmray.features.store.files import is_whole
from mmray.features.store.limits import describe_limits
from mmray.features.store.same import first_versions
from mmray.stages.extraction.fitted import Fit, find_fit


@dataclass(frozen=True, slots=True)
class FeatureTarget:
    """The target of one modality's features, and its payloads."""

    keys: pa.Array
    """Per row of the manifest: version of its payload; null if there is none."""
    wanted: pa.Table
    """``sample_id`` and ``key`` of every payload."""
    digest: str
    """Digest of the keys."""
    fit: Fit | None
    folder: Path | None
    """None while the extractor is not fitted."""

    @property
    def state(self) -> Path | None:
        """Folder of the fitted state's files."""
        return self.fit.state if self.fit else None

    @property
    def mark(self) -> str:
        """Name of features and payloads; empty while unknown."""
        return f"{self.folder.name}-{self.digest}" if self.folder else ""


def find_target(
    name: str, config: Config, manifest: Manifest, versions: pa.Array, *, refit: bool = False
) -> FeatureTarget:
    """Return the target of this modality's features; changes nothing.

    ``versions`` are those of the payloads now, a row of the manifest each.
    """
    ids = pa.array(manifest.ids, pa.string())
    keys = first_versions(Path(config.workspace) / "features" / name, ids, versions)
    fitted = find_fit(name, config, manifest, keys, refit=refit)
    wanted = pa.table({"sample_id": ids, "key": keys})
    wanted = wanted.filter(wanted["key"].is_valid())
    pairs = pc.binary_join_element_wise(wanted["sample_id"], wanted["key"], " ")
    digest = digest_lines(pairs.to_pylist())
    return FeatureTarget(keys, wanted, digest, fitted, _feature_folder(name, config, fitted))


def _feature_folder(name: str, config: Config, fitted: Fit | None) -> Path | None:
    if fitted is not None and not fitted.is_done:
        return None
    identity = extractor_identity(config.modalities[name], fitted.state if fitted else None)
    return Path(config.workspace) / "features" / name / fingerprint(identity)


def is_up_to_date(config: Config, target: FeatureTarget, marker: Mapping[str, Any] | None) -> bool:
    """Return whether the folder holds exactly these payloads, and all its files exist."""
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
