"""From the document to extractors, of whatever kind."""

from pathlib import Path
from typing import Any

from mmray.config.modality.modality import ModalityConfig
from mmray.errors import BundleError
from mmray.features.extractor import Extractor, Tally
from mmray.features.kinds import kind_of


def build_extractor(config: ModalityConfig, state: Path | None) -> Extractor:
    """Build the extractor of one modality.

    ``state`` holds what ``fit_extractor`` or ``export_extractor`` wrote; a checkpoint exported
    there is used in place of the one that the document names.
    """
    return kind_of(config).build(config, state)


def extractor_tally(config: ModalityConfig) -> Tally | None:
    """Return what counts something of note in a decoded payload: redactions in a text."""
    return kind_of(config).tally(config)


def extractor_identity(config: ModalityConfig, state: Path | None) -> dict[str, Any]:
    """Return, as plain JSON, everything that decides what the features are."""
    return kind_of(config).identity(config, state)


def check_exported(config: ModalityConfig, folder: Path) -> None:
    """Refuse a folder without the files that ``export_extractor`` copies of other places.

    Building from it would look there instead: on the hub, or elsewhere on this machine's disks.
    """
    for name in kind_of(config).exported(config):
        if not (folder / name).is_file():
            raise BundleError(
                f"the bundle lacks {folder.name}/{name}",
                where=str(folder),
                hint="copy the bundle again, or write it again with 'mmray evaluate'",
            )


def export_extractor(config: ModalityConfig, state: Path | None, folder: Path) -> None:
    """Write into ``folder`` what ``build_extractor(config, folder)`` needs on another machine."""
    folder.mkdir(parents=True, exist_ok=True)
    kind_of(config).export(config, state, folder)
