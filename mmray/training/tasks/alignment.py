"""One space for all modalities. Axes: N samples, B batch, M modalities, S shared embedding."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Integer
from torch import Tensor

from mmray.config.task.loss import SiglipConfig
from mmray.config.task.task import AlignmentConfig
from mmray.core.label.cell import Label
from mmray.models.head import SharedSpace, split_outputs
from mmray.training.parallel.gather_rows import gather_rows, row_counts
from mmray.training.parallel.worker_context import WorkerContext
from mmray.training.tasks.label import at_least_two, class_counts, class_numbers, known_labels
from mmray.training.tasks.losses.contrast import Rows, contrastive_losses
from mmray.training.tasks.metrics.recall import pair_hits, recall_metrics
from mmray.training.tasks.saved import saved_names
from mmray.training.tasks.task import Array, Statistic


@dataclass(frozen=True, slots=True)
class AlignmentTask:
    """The modalities along the M axis, and the classes where the loss is supervised.

    A sample takes part when two of its modalities are present. Without classes its label is 0, or
    a number per modality (M), the same for copies of one payload.
    """

    config: AlignmentConfig
    modalities: tuple[str, ...]
    classes: tuple[str, ...] | None = None

    @property
    def head(self) -> SharedSpace:
        """The head that the model needs."""
        loss = self.config.loss
        if isinstance(loss, SiglipConfig):
            return SharedSpace(self.config.size, loss.temperature, loss.bias, learns_bias=True)
        return SharedSpace(self.config.size, loss.temperature)

    @property
    def outputs(self) -> int:
        """Outputs of the head: all embeddings, scale and bias."""
        return len(self.modalities) * self.config.size + 2

    def encode(self, labels: Sequence[Label | None]) -> Integer[np.ndarray, " N"]:
        """Return class numbers, -1 for none; without classes, zeros."""
        if self.classes is None:
            return np.zeros(len(labels), dtype=np.int64)
        return class_numbers(self.classes, labels)

    def paired(
        self, labels: Integer[np.ndarray, " N"], present: Bool[np.ndarray, "N M"]
    ) -> Integer[np.ndarray, " N"]:
        """Return the labels, -1 where there are no two modalities to compare."""
        return np.where(present.sum(axis=1) >= 2, labels, -1)

    def told_apart(
        self, labels: Integer[np.ndarray, " N"], payloads: Integer[np.ndarray, "N M"]
    ) -> Integer[np.ndarray, "N ..."]:
        """Return the labels by payload, so that a copy of the right payload is no miss."""
        return labels if self.classes else np.where(labels[:, None] < 0, -1, payloads)

    def losses(
        self, outputs: Float[Tensor, "B C"], targets: Integer[Tensor, "B ..."]
    ) -> Float[Tensor, " B"]:
        """Return the loss of each sample among these."""
        return self.losses_across(outputs, targets, torch.ones(len(targets), dtype=torch.bool))

    def losses_across(
        self,
        outputs: Float[Tensor, "B C"],
        targets: Integer[Tensor, "B ..."],
        labelled: Bool[Tensor, " B"],
        context: WorkerContext | None = None,
    ) -> Float[Tensor, " B"]:
        """Return the loss of each of this worker's samples among those of all workers."""
        context = context or WorkerContext()
        counts = row_counts(len(outputs), context)
        everywhere = gather_rows(outputs, counts, context)
        classes = targets if self.classes else torch.zeros_like(labelled, dtype=torch.long)
        marks = gather_rows(
            torch.stack([classes, labelled.long()], dim=1), counts, context
        )  # (G, 2)
        groups = marks[:, 0] if self.classes else torch.arange(len(marks), device=marks.device)
        modalities, start = len(self.modalities), sum(counts[: context.rank])
        own = groups[start : start + len(outputs)]
        return contrastive_losses(
            self.config.loss,
            Rows(split_outputs(outputs, modalities), own, labelled),
            Rows(split_outputs(everywhere, modalities), groups, marks[:, 1].bool()),
        )

    def decode(self, outputs: Float[Tensor, "N C"]) -> Float[np.ndarray, "N M S"]:
        """Return the shared embeddings, zeros where the modality is absent."""
        return split_outputs(outputs.float(), len(self.modalities)).embeddings.cpu().numpy()

    def metrics(self, decoded: Array, labels: Array) -> dict[str, float]:
        """Return the recall at 1 and 5 for each ordered pair of modalities, and their means."""
        return recall_metrics(torch.from_numpy(decoded), self._groups(labels), self.modalities)

    def details(self, decoded: Array, labels: Array) -> dict[str, Any]:
        """Return how many samples there are to be found in each modality."""
        there = (decoded != 0.0).any(axis=-1).sum(axis=0)  # (M)
        return {"candidates": dict(zip(self.modalities, there.tolist(), strict=True))}

    def main_statistic(self, decoded: Array, labels: Array) -> Statistic:
        """Return the mean recall at 1 as a function of row numbers; the candidates stay."""
        hits = pair_hits(torch.from_numpy(decoded), self._groups(labels), 1)
        found = np.stack([pair.numpy() for pair in hits.values()])  # (pairs, N)
        counted = ~np.isnan(found)
        values = np.where(counted, found, 0.0)

        def statistic(rows: Array) -> float:
            sizes = counted[:, rows].sum(axis=1)
            recalls = values[:, rows].sum(axis=1)[sizes > 0] / sizes[sizes > 0]
            return float(recalls.mean()) if len(recalls) else 0.0

        return statistic

    def constant(self, labels: Array, decoded: Array) -> Array:
        """Return one point for all that is present, so that any order is as likely as any other."""
        is_there = (decoded != 0.0).any(axis=-1, keepdims=True)  # (N, M, 1)
        return np.where(is_there, decoded.shape[-1] ** -0.5, 0.0 * decoded).astype(np.float32)

    def describe(self, decoded: Array) -> dict[str, Any]:
        """Return the embedding of each modality that is present."""
        return {
            "embeddings": {
                name: values
                for name, values in zip(self.modalities, decoded, strict=True)
                if values.any()
            }
        }

    def summary(self) -> str:
        """Return a phrase about the outputs."""
        return (
            f"one space of {self.config.size} coordinates for {', '.join(self.modalities)}: "
            "`mmray.load(folder).embed(records)`"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return modalities and classes as plain JSON types."""
        classes = None if self.classes is None else list(self.classes)
        return {"kind": "alignment", "modalities": list(self.modalities), "classes": classes}

    def _groups(self, labels: Array) -> Tensor:
        """Return a number per sample and modality: what has the same belongs together (N, M)."""
        numbers = torch.from_numpy(labels)
        if numbers.dim() == 2:
            return numbers
        own = torch.arange(len(numbers)) if self.classes is None else numbers
        return own[:, None].expand(-1, len(self.modalities))


def fit_alignment(
    config: AlignmentConfig, labels: Sequence[Label | None], modalities: Sequence[str]
) -> AlignmentTask:
    """Learn the classes of a supervised alignment from the labels of the train split."""
    if config.column is None:
        return AlignmentTask(config, tuple(modalities))
    classes = tuple(sorted(class_counts(known_labels(config.column, labels))))
    at_least_two(config.column, classes)
    return AlignmentTask(config, tuple(modalities), classes)


def restore_alignment(config: AlignmentConfig, document: Mapping[str, Any]) -> AlignmentTask:
    """Read back what ``to_dict`` wrote."""
    classes = None if document["classes"] is None else saved_names(document, "classes")
    return AlignmentTask(config, saved_names(document, "modalities"), classes)
