"""Which epoch was best, and in which order the others follow."""

import pytest

from mmray.config.training.train import TrainConfig
from mmray.training.loop.plan import EpochRecord
from mmray.training.loop.progress import TrainingProgress

METRICS = {"val/loss": (0.9, 0.4, 0.6), "val/animal/accuracy": (0.3, 0.5, 0.8)}


def progress_of(config):
    progress = TrainingProgress()
    for epoch in range(3):
        metrics = {name: values[epoch] for name, values in METRICS.items()}
        progress = progress.after(EpochRecord(epoch, metrics, ["a"], 0.5), config, "val")
    return progress


@pytest.mark.parametrize(
    ("metric", "order"), [("val/loss", [1, 2, 0]), ("val/animal/accuracy", [2, 1, 0])]
)
def test_epochs_are_ranked_by_the_metric_in_its_direction(metric, order):
    config = TrainConfig(keep_best={"metric": metric})

    progress = progress_of(config)

    assert progress.ranked(config, "val") == order
    assert progress.best.epoch == order[0]
