"""The trainings of a document: the fusion, and each modality alone, with one seed or several."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmray.config.document import Config
from mmray.core.file.atomic import read_success
from mmray.stages.workspace import Workspace

FUSION = "fusion"


@dataclass(frozen=True, slots=True)
class Variant:
    """One training of these modalities with this seed."""

    name: str
    """Its name in the tracking store, for example ``image alone, seed 1``."""
    modalities: tuple[str, ...]
    seed: int
    first: str = ""
    """The training of the same model with the first seed; its run holds those of further seeds."""

    @property
    def slug(self) -> str:
        """Return the name as a folder."""
        return self.name.replace(",", "").replace(" ", "-")


def main_model(config: Config) -> str:
    """Return the name of the model of all modalities; a single modality is not a fusion."""
    names = config.modality_order()
    return FUSION if len(names) > 1 else next(iter(names))


def fusion_variant(config: Config, seed: int) -> Variant:
    """Return the training of all modalities."""
    return seed_variant(main_model(config), config.modality_order(), seed, config)


def seed_variant(model: str, modalities: tuple[str, ...], seed: int, config: Config) -> Variant:
    """Return the training of a model with one of the seeds."""
    if seed == config.train.seed:
        return Variant(model, modalities, seed)
    return Variant(f"{model}, seed {seed}", modalities, seed, first=model)


def run_folder(workspace: Workspace, variant: Variant) -> Path:
    """Return the folder of this training."""
    return workspace.training_folder / variant.slug


def run_success(workspace: Workspace, variant: Variant) -> dict[str, Any]:
    """Return the report of a complete training."""
    success = read_success(run_folder(workspace, variant))
    assert success is not None  # train_variants raises unless every variant is complete
    return success
