"""Which folders of the feature store a document means, and how far each is."""

from pathlib import Path
from typing import Any

from mmray.config.document import Config
from mmray.stages.extraction.target import FeatureTarget, is_up_to_date
from mmray.stages.prepare import open_manifest
from mmray.stages.workspace import Workspace

Marker = dict[str, Any]


def find_targets(config: Config) -> dict[str, FeatureTarget]:
    """Return the feature target of each modality of the document."""
    workspace = Workspace(config)
    manifest = open_manifest(workspace)
    workspace.corpus.recall_remote(workspace.folder)
    return {name: workspace.target(name, manifest) for name in config.modality_order()}


def folder_status(
    folder: Path, marker: Marker, config: Config, target: FeatureTarget | None
) -> str:
    """Return the status of one folder; see ``FolderRow``."""
    if folder.name.startswith("fitted-"):
        is_used = target is not None and target.fit is not None and target.fit.folder == folder
        return "fitted" if is_used else "fitted, stale"
    if target is None or target.folder != folder:
        return "stale" if marker else "stale, unfinished"
    if not marker:
        return "unfinished"
    return "current" if is_up_to_date(config, target, marker) else "outdated"
