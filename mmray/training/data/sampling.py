"""The samples of an epoch, and their order. Axes: N samples."""

import numpy as np
from jaxtyping import Integer

from mmray.config.task.kind import balanced_task
from mmray.config.training.train import TrainConfig
from mmray.training.data.samples import Samples
from mmray.training.tasks.label import has_label
from mmray.training.tasks.task import Tasks


def epoch_order(
    samples: Samples, tasks: Tasks, config: TrainConfig, *, epoch: int
) -> Integer[np.ndarray, " N"]:
    """Return the samples of one epoch in order: it follows from the seed and the epoch alone."""
    if config.sampling == "shuffled":
        return shuffled(len(samples), seed=config.seed, epoch=epoch)
    name = balanced_task({n: task.config for n, task in tasks.items()}, config.sampling_task)
    return balanced(samples.labels[name], seed=config.seed, epoch=epoch)


def shuffled(num_samples: int, *, seed: int, epoch: int) -> Integer[np.ndarray, " N"]:
    """Return every sample once."""
    return np.random.default_rng([seed, epoch]).permutation(num_samples)


def balanced(
    classes: Integer[np.ndarray, " N"], *, seed: int, epoch: int
) -> Integer[np.ndarray, " N"]:
    """Return as many samples of each class, and those without a label once each.

    A class gives all its samples before it gives one again; of a large one, an epoch has a part.
    """
    generator = np.random.default_rng([seed, epoch])
    known = has_label(classes)
    present = generator.permutation(np.unique(classes[known]))
    counts = [len(part) for part in np.array_split(np.arange(known.sum()), max(1, len(present)))]
    chosen = [np.flatnonzero(~known)]
    for number, count in zip(present, counts, strict=False):
        members = np.flatnonzero(classes == number)
        rounds = -(-count // len(members))
        drawn = np.concatenate([generator.permutation(members) for _ in range(rounds)])
        chosen.append(drawn[:count])
    return generator.permutation(np.concatenate(chosen))
