"""The basis of the records of all frozen pretrained extractors."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, cast

from mmray.core.spec import FeatureSpec
from mmray.features.checkpoints.checkpoint import MODEL_FOLDER, checkpoint_identity
from mmray.features.checkpoints.export import export_checkpoint
from mmray.features.extractor import Extractor
from mmray.features.kind import C, E, ExtractorKind

NETWORKS = ("torch", "transformers", "tokenizers")
"""The libraries that run a checkpoint."""


class NamesModel(Protocol):
    """A section of the document that names a checkpoint."""

    @property
    def model(self) -> str:
        """Hub name or local folder."""
        ...


def weights_identity(config: object, extract: NamesModel, state: object) -> dict[str, Any]:
    """Return what names the checkpoint by its content."""
    return {"checkpoint": checkpoint_identity(extract.model)}


def export_model(config: object, extract: NamesModel, state: object, folder: Path) -> None:
    """Copy the checkpoint to where a bundle keeps it."""
    export_checkpoint(extract.model, folder / MODEL_FOLDER)


def model_files(extract: object) -> tuple[str, ...]:
    """Return the file that shows that a bundle has the checkpoint."""
    return (f"{MODEL_FOLDER}/config.json",)


def at_exported_model(extract: E, state: Path) -> E:
    """Point the settings at the checkpoint inside of ``state``, if there is one."""
    folder = state / MODEL_FOLDER
    return extract.model_copy(update={"model": str(folder)}) if folder.is_dir() else extract


def checkpoint_extractor(
    config: type[E],
    *,
    version: int,
    spec: Callable[[C, E], FeatureSpec],
    build: Callable[[C, E, Path | None], Extractor],
) -> ExtractorKind[C, E]:
    """Return the record of an extractor that is a checkpoint and nothing else.

    ``config`` is a section that names it, as ``NamesModel`` says.
    """
    return ExtractorKind(
        config=config,
        version=version,
        spec=spec,
        build=build,
        identity=cast("Any", weights_identity),
        export=cast("Any", export_model),
        exported=model_files,
        relocated=at_exported_model,
        libraries=NETWORKS,
    )
