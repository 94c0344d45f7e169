"""The plan of a training, and its outcome."""

from dataclasses import dataclass, field
from pathlib import Path

from mmray.config.training.train import TrainConfig
from mmray.training.augment.augment import Augmentation
from mmray.training.augment.step import AugmentStep
from mmray.training.data.samples import Samples
from mmray.training.parallel.worker_context import WorkerContext
from mmray.training.tasks.task import Tasks


@dataclass(frozen=True, slots=True)
class TrainPlan:
    """Everything that a training needs besides the model."""

    tasks: Tasks
    train: Samples
    val: Samples
    config: TrainConfig
    context: WorkerContext = field(default_factory=WorkerContext)
    folder: Path | None = None
    """For checkpoints, shared by all workers; None keeps none."""
    auxiliary: float = 0.0
    """Weight of the loss of each modality alone."""
    augment: Augmentation = field(default_factory=dict[str, list[AugmentStep]])
    """Random changes to train batches, by modality."""

    @property
    def evaluated_on(self) -> str:
        """Prefix of the metrics that evaluate: ``val``, or ``train`` where val has no samples."""
        return "val" if len(self.val) else "train"


@dataclass(frozen=True, slots=True)
class EpochRecord:
    """One epoch's account."""

    epoch: int
    metrics: dict[str, float]
    weights_hashes: list[str]
    """Hash of every worker's weights after the epoch, by rank; training fails if they differ."""
    seconds: float


@dataclass(frozen=True, slots=True)
class Soup:
    """A model that is the mean of several epochs' weights."""

    epochs: tuple[int, ...]
    """The best first."""
    metrics: dict[str, float]


@dataclass(frozen=True, slots=True)
class FitReport:
    """The outcome of a training."""

    records: tuple[EpochRecord, ...]
    best_epoch: int
    """The epoch whose weights the model has now."""
    resumed_from: int | None
    """Epochs that an earlier process had done, if any."""
    soup: Soup | None = None
    """Epochs of the soup that replaces the best epoch, if one was requested."""

    @property
    def stopped_after(self) -> int:
        """Return how many epochs were run."""
        return len(self.records)

    @property
    def best(self) -> EpochRecord:
        """Return the record of the best epoch."""
        return self.records[self.best_epoch]

    @property
    def metrics(self) -> dict[str, float]:
        """Return the metrics of the model: those of the best epoch, or of the soup."""
        if self.soup is None:
            return self.best.metrics
        return self.best.metrics | self.soup.metrics
