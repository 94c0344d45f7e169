"""The models of a bundle: one, or those of an ensemble, each further one in its own folder."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mmray.config.document import Config
from mmray.config.task.kind import kind_of
from mmray.core.spec import FeatureSpec
from mmray.errors import BundleError
from mmray.models.fusion_model import FusionModel
from mmray.run.bundle.foreign.document import DOCUMENT, BundleDocument, read_document
from mmray.run.bundle.foreign.trust import require_trust
from mmray.training.tasks.task import Task

MEMBERS = "members"
MOST_MEMBERS = 100


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """A model that a bundle is written from."""

    config: Config
    run_folder: Path
    """Of its training; holds its fitted tasks."""
    model: FusionModel
    weight: float = 1.0
    """In the mean of all models of an ensemble."""


@dataclass(frozen=True, slots=True)
class BundleMember:
    """A further model of an ensemble that was read."""

    tasks: dict[str, Task]
    model: FusionModel
    weight: float


def member_folder(folder: Path, number: int) -> Path:
    """Return the folder of a model of the ensemble; the first one, number 1, is the bundle's."""
    return folder / MEMBERS / str(number)


def member_folders(folder: Path, document: BundleDocument) -> list[Path]:
    """Return the folders of the further models; wrong weights are a BundleError."""
    weights = document.weights
    is_sound = all(0.0 < weight <= 1.0 for weight in weights) and len(weights) <= MOST_MEMBERS
    if weights and not (is_sound and math.isclose(sum(weights), 1.0, abs_tol=1e-6)):
        raise _broken("'weights' are not shares of an ensemble", folder)
    return [member_folder(folder, number) for number in range(2, len(weights) + 1)]


def read_member(
    folder: Path, specs: Mapping[str, FeatureSpec], document: BundleDocument, *, trust: bool
) -> tuple[Config, BundleDocument]:
    """Return the document of a further model, which takes and predicts what the first one does."""
    config, own_specs, own = read_document(folder)
    require_trust(config, trust=trust, where=str(folder))
    if own_specs != specs:
        raise _broken("its models take different features", folder)
    if own.tasks != document.tasks:
        raise _broken("its models predict different things", folder)
    if any(kind_of(task).answer == "embeddings" for task in config.tasks.values()):
        raise _broken("embeddings of different models have no mean", folder)
    return config, own


def _broken(problem: str, folder: Path) -> BundleError:
    return BundleError(
        f"this ensemble is not what mmray writes: {problem}",
        where=str(folder / DOCUMENT),
        hint="copy the bundle again, or run the search again",
    )
