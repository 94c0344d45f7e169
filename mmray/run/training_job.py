"""A requested training; loads no torch, so that importing it is fast."""

from dataclasses import dataclass
from pathlib import Path

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
