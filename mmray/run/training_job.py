"""A requested training; loads no torch, so that importing it is fast."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from mmray.config.document import Config

CHECKPOINTS = "checkpoints"


@dataclass(frozen=True, slots=True)
class TrainingJob:
    """One training: modalities, seed, features and output folder."""

    name: str
    config: Config
    manifest: str
    features: dict[str, str]
    """Modality -> feature folder, in M-axis order; a part of the document's is enough."""
    seed: int
    folder: str
    folds: int | None = None
    """Number of folds of train and val together; None trains on the document's own splits."""
    fold: int | None = None
    """The one of them that this training is evaluated on, from 0; None trains one after another."""

    @property
    def checkpoints(self) -> Path:
        """Folder of the checkpoints, while the training is not complete."""
        return Path(self.folder) / CHECKPOINTS

    @property
    def starts_anew(self) -> bool:
        """Whether there is no checkpoint to resume from."""
        return not any(self.checkpoints.glob("epoch-*"))

    def to_dict(self) -> dict[str, Any]:
        """Return the job as plain JSON types, with the secrets that the document may hold."""
        document = {field.name: getattr(self, field.name) for field in fields(self)}
        return document | {"config": json.loads(self.config.model_dump_json(by_alias=True))}


def job_from_dict(document: Mapping[str, Any]) -> TrainingJob:
    """Return the job that ``to_dict`` described."""
    values: dict[str, Any] = {**document, "config": Config.model_validate(document["config"])}
    return TrainingJob(**values)
