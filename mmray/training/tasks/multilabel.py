"""Any number of classes at once. Axes: N samples, B batch, C classes."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from mmray.config.task.task import MultilabelConfig
from mmray.core.label.cell import Label, is_missing
from mmray.core.text.nearest import listed
from mmray.errors import TrainingError
from mmray.models.head import AffineHead
from mmray.training.tasks.label import class_number, known_labels
from mmray.training.tasks.losses.flags import balanced_weight, flag_losses
from mmray.training.tasks.metrics.flags import MULTILABEL, THRESHOLD, FlagTable, per_flag_metrics
from mmray.training.tasks.metrics.measure import measure
from mmray.training.tasks.saved import saved_names, saved_numbers
from mmray.training.tasks.task import Array, Statistic, repeated


@dataclass(frozen=True, slots=True)
class MultilabelTask:
    """The classes, in the order of the outputs, which are logits, each on its own."""

    config: MultilabelConfig
    classes: tuple[str, ...]
    positive_weights: tuple[float, ...]
    """Weight of a positive label of each class in the loss."""

    @property
    def head(self) -> AffineHead:
        """The head that the model needs."""
        return AffineHead(len(self.classes))

    @property
    def outputs(self) -> int:
        """Outputs of the head."""
        return len(self.classes)

    def encode(self, labels: Sequence[Label | None]) -> Float[np.ndarray, "N C"]:
        """Return a 1 for each label that a sample has, else 0; NaN where nothing is known."""
        numbers = {name: number for number, name in enumerate(self.classes)}
        flags = np.zeros((len(labels), len(self.classes)), dtype=np.float32)
        for row, label in enumerate(labels):
            if label is None or is_missing(label):
                flags[row] = np.nan
            else:
                flags[row, [class_number(numbers, name) for name in _names(label)]] = 1.0
        return flags

    def losses(
        self, outputs: Float[Tensor, "B C"], targets: Float[Tensor, "B C"]
    ) -> Float[Tensor, " B"]:
        """Return the loss of each sample: the mean over the classes."""
        weights = outputs.new_tensor(self.positive_weights)
        return flag_losses(self.config.loss, outputs, targets, weights).mean(dim=1)

    def decode(self, outputs: Float[Tensor, "N C"]) -> Float[np.ndarray, "N C"]:
        """Return the probability of each class."""
        return outputs.float().sigmoid().cpu().numpy()

    def metrics(self, decoded: Array, labels: Array) -> dict[str, float]:
        """Return F1, the share of samples with all classes right, and mean average precision.

        ``f1_macro`` is over the classes that are among the labels or the predictions, mean average
        precision over those among the labels.
        """
        return measure(MULTILABEL, _table(decoded, labels))

    def details(self, decoded: Array, labels: Array) -> dict[str, Any]:
        """Return figures per class."""
        per_class = per_flag_metrics(_table(decoded, labels), self.classes)
        return {"per_class": per_class, "classes": list(self.classes)}

    def main_statistic(self, decoded: Array, labels: Array) -> Statistic:
        """Return F1 over all samples and classes as a function of row numbers."""
        guess, truth = decoded > THRESHOLD, labels > THRESHOLD
        both = (guess & truth).sum(axis=1)  # (N)
        either = guess.sum(axis=1) + truth.sum(axis=1)  # (N)
        return lambda rows: float(2 * both[rows].sum() / max(1, either[rows].sum()))

    def constant(self, labels: Array, decoded: Array) -> Array:
        """Return, for every sample, 1 for the classes that are worth naming always, else 0.

        A class is worth it when its share is at least half of the F1 that this reaches.
        """
        shares = np.sort(labels.mean(axis=0))[::-1]  # (C)
        f1 = 2 * shares.cumsum() / (np.arange(1, len(shares) + 1) + shares.sum())
        least = shares[int(f1.argmax())]
        return repeated(labels.mean(axis=0) >= least, len(decoded))

    def describe(self, decoded: Array) -> dict[str, Any]:
        """Return the classes that are more probable than not, and all probabilities."""
        return {
            "labels": [
                name for name, p in zip(self.classes, decoded, strict=True) if p > THRESHOLD
            ],
            "probabilities": dict(zip(self.classes, decoded.tolist(), strict=True)),
        }

    def summary(self) -> str:
        """Return a phrase about the outputs."""
        return f"any of {listed(self.classes)}, with probabilities"

    def to_dict(self) -> dict[str, Any]:
        """Return classes and weights as plain JSON types."""
        return {
            "kind": "multilabel",
            "classes": list(self.classes),
            "positive_weights": list(self.positive_weights),
        }


def fit_multilabel(
    config: MultilabelConfig, labels: Sequence[Label | None], _: Sequence[str] = ()
) -> MultilabelTask:
    """Learn the classes, and their weights, from the labels of the train split."""
    known = known_labels(config.column, labels)
    counts = Counter(name for label in known for name in set(_names(label)))
    classes = config.classes or tuple(sorted(counts))
    if not classes:
        raise TrainingError(
            f"no sample of the train split has any class in column {config.column!r}",
            where=f"column {config.column}",
            hint="all its lists are empty: check the column",
        )
    weights = [balanced_weight(config.loss, counts[c], len(known) - counts[c]) for c in classes]
    task = MultilabelTask(config, classes, tuple(weights))
    task.encode(known)  # a label that is not among the classes is an error
    return task


def restore_multilabel(config: MultilabelConfig, document: Mapping[str, Any]) -> MultilabelTask:
    """Read back what ``to_dict`` wrote."""
    weights = saved_numbers(document, "positive_weights")
    return MultilabelTask(config, saved_names(document, "classes"), weights)


def _names(label: Label) -> list[str]:
    """Return the classes of a sample; the manifest holds lists."""
    return label if isinstance(label, list) else [str(label)]


def _table(decoded: Array, labels: Array) -> FlagTable:
    return FlagTable(torch.from_numpy(decoded).double(), torch.from_numpy(labels).long())
