"""The progress of a training, and its best epoch."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from mmray.config.training.train import ObjectiveConfig, TrainConfig
from mmray.core.text.nearest import did_you_mean
from mmray.errors import TrainingError
from mmray.training.loop.plan import EpochRecord


@dataclass(frozen=True, slots=True)
class Best:
    """The best value so far, and its epoch."""

    epoch: int
    value: float


@dataclass(frozen=True, slots=True)
class TrainingProgress:
    """The epochs done so far. Equal metrics give equal decisions."""

    records: tuple[EpochRecord, ...] = ()
    best: Best | None = None
    """By ``keep_best``."""
    early: Best | None = None
    """By ``early_stop``."""

    @property
    def epoch(self) -> int:
        """Return the number of epochs done, which is the next one's number."""
        return len(self.records)

    @property
    def best_epoch(self) -> int:
        """Return the best epoch's number; the first one's as long as there is none."""
        return 0 if self.best is None else self.best.epoch

    def after(
        self, record: EpochRecord, config: TrainConfig, evaluated_on: str
    ) -> "TrainingProgress":
        """Return the progress with one more epoch."""
        early = config.early_stop and _better(self.early, config.early_stop, record, evaluated_on)
        best = _better(self.best, config.keep_best, record, evaluated_on)
        return replace(self, records=(*self.records, record), best=best, early=early)

    def is_done(self, config: TrainConfig) -> bool:
        """Return whether all epochs are done, or the metric has stopped to become better."""
        if config.early_stop is None or self.early is None:
            return self.epoch >= config.epochs
        waited = self.epoch - 1 - self.early.epoch
        return self.epoch >= config.epochs or waited >= config.early_stop.patience

    def ranked(self, config: TrainConfig, evaluated_on: str) -> list[int]:
        """Return the epochs by ``keep_best``, the best first; of equals, the earlier one."""
        sign = 1.0 if config.keep_best.direction == "min" else -1.0
        return sorted(
            range(self.epoch),
            key=lambda n: (
                sign * objective_value(config.keep_best, self.records[n].metrics, evaluated_on)
            ),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the progress as plain JSON types."""
        return asdict(self) | {"records": [asdict(record) for record in self.records]}


def progress_from_dict(document: Mapping[str, Any]) -> TrainingProgress:
    """Read back what ``to_dict`` wrote."""
    best, early = document["best"], document["early"]
    return TrainingProgress(
        tuple(EpochRecord(**record) for record in document["records"]),
        best and Best(**best),
        early and Best(**early),
    )


def objective_value(
    objective: ObjectiveConfig, metrics: Mapping[str, float], evaluated_on: str
) -> float:
    """Return the metric that the objective names, on train where val has no samples."""
    name = objective.metric
    if name.startswith("val/"):
        name = f"{evaluated_on}/{name.removeprefix('val/')}"
    if name not in metrics:
        raise TrainingError(
            f"there is no metric {objective.metric!r}",
            where="train.keep_best or train.early_stop",
            hint=did_you_mean(name, sorted(metrics), "the metrics are"),
        )
    return metrics[name]


def _better(
    best: Best | None, objective: ObjectiveConfig, record: EpochRecord, evaluated_on: str
) -> Best:
    value = objective_value(objective, record.metrics, evaluated_on)
    if best is None or objective.is_better(value, best.value):
        return Best(record.epoch, value)
    return best
