"""Features of every setting that a search tries, extracted before its trials."""

import logging

from mmray.config.document import Config
from mmray.search.features import FeatureFolders, count_extractions, feature_documents, features_key
from mmray.stages import extract
from mmray.stages.extraction.compute import Compute
from mmray.stages.workspace import Workspace
from mmray.tracking.memory import MemoryTracker

logger = logging.getLogger(__name__)
MANY = 24
"""More extractions than this are worth a warning."""


def extract_variants(
    config: Config, workspace: Workspace, *, compute: Compute | None = None
) -> FeatureFolders:
    """Extract what the space of ``config`` needs; what is stored already is not computed again.

    ``compute`` extracts what is missing; the default is Ray.
    """
    documents = feature_documents(config)
    if (count := count_extractions(documents)) > MANY:
        logger.warning(
            "warning: the space needs %d extractions besides the document's own: "
            "fewer values of the keys under extract, clean and decode need fewer",
            count,
        )
    folders: dict[str, dict[str, str]] = {name: {} for name in config.modality_order()}
    for number, document in enumerate(documents):
        place = workspace.of(document)
        if number:
            logger.info("features of further settings: %d of %d", number, len(documents) - 1)
            extract_document(place, compute=compute)
        for name, feature in place.extracted.features.items():
            key = features_key(document.modalities[name])
            folders[name][key] = str(feature.folder.resolve())
    return FeatureFolders(folders)


def extract_document(workspace: Workspace, *, compute: Compute | None = None) -> None:
    """Complete the features of a workspace's document, without a run in the tracking store."""
    extract.run(workspace, MemoryTracker(), compute=compute)
