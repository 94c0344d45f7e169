"""A complete folder of the feature store, opened. Loads no torch: a skipped stage opens it, too."""

from dataclasses import dataclass
from pathlib import Path

from mmray.core.file.atomic import read_success
from mmray.core.spec import FeatureSpec, spec_from_dict
from mmray.errors import ExtractionError


@dataclass(frozen=True, slots=True)
class FeatureFolder:
    """A complete set of features of one modality."""

    folder: Path
    spec: FeatureSpec
    state: Path | None
    """Folder of the extractor's fitted state."""


def open_features(folder: Path) -> FeatureFolder:
    """Open a feature folder; one that is not complete is an ExtractionError."""
    success = read_success(folder)
    if success is None:
        raise ExtractionError(
            "these features are not complete",
            where=str(folder),
            hint="run 'mmray extract CONFIG' again",
        )
    state = folder / success["state"] if success["state"] else None
    return FeatureFolder(folder, spec_from_dict(success["spec"]), state)
