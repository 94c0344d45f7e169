"""Counts of events: a custom task, word for word as docs/how-to/custom.md shows it."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from torch.nn import functional as F


def deviance(predicted, counts):
    ratio = np.where(counts > 0, counts, 1) / predicted
    return 2 * np.mean(counts * np.log(ratio) - counts + predicted)


def within_one(predicted, counts):
    return np.mean(np.abs(predicted - counts) <= 1)


@dataclass(frozen=True)
class Counts:
    """Poisson regression: the output is the logarithm of the rate over the mean rate."""

    mean: float
    outputs = 1
    metrics: ClassVar = {"deviance": deviance, "within_one": within_one}

    def encode(self, labels):
        return np.array([np.nan if label is None else label for label in labels])

    def losses(self, outputs, targets):
        log_rate = outputs[:, 0] + np.log(self.mean)
        return F.poisson_nll_loss(log_rate, targets, full=True, reduction="none")

    def decode(self, outputs):
        return self.mean * outputs[:, 0].exp().numpy()

    def constant(self, targets):
        return targets.mean()

    def answer(self, decoded):
        return decoded

    def to_dict(self):
        return {"mean": self.mean}


def counts(labels, saved):
    return Counts(saved["mean"] if labels is None else float(np.mean(labels)))
