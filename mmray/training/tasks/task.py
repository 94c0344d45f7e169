"""The interface of all tasks. Axes: N samples, B batch, C outputs."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
import numpy.typing as npt
from jaxtyping import Bool, Float, Integer, Shaped
from torch import Tensor

from mmray.config.task.task import TaskConfig
from mmray.core.label.cell import Label
from mmray.models.head import HeadSpec
from mmray.training.parallel.worker_context import WorkerContext

Array: TypeAlias = Shaped[np.ndarray, "..."]
Statistic: TypeAlias = Callable[[Array], float]


@runtime_checkable
class Task(Protocol):
    """The settings of a task, its state fitted on the train split's labels, and what follows.

    *Encoded* labels are int64 with -1 for none, or float32 with NaN for none: (N,), or (N, C) where
    a sample has several. *Decoded* outputs are what people read: probabilities, numbers in the
    label's unit, embeddings. Metrics get only labelled samples.
    """

    @property
    def config(self) -> TaskConfig:
        """The section of the document."""
        ...

    @property
    def head(self) -> HeadSpec:
        """The head that the model needs."""
        ...

    @property
    def outputs(self) -> int:
        """Number of outputs of the head per sample (C)."""
        ...

    def encode(self, labels: Sequence[Label | None]) -> Shaped[np.ndarray, "N ..."]:
        """Return labels as numbers; one that is unknown is a ManifestError."""
        ...

    def losses(
        self, outputs: Float[Tensor, "B C"], targets: Shaped[Tensor, "B ..."]
    ) -> Float[Tensor, " B"]:
        """Return the loss of each sample; all of them have a label."""
        ...

    def decode(self, outputs: Float[Tensor, "N C"]) -> Float[np.ndarray, "N ..."]:
        """Return outputs as people read them."""
        ...

    def metrics(self, decoded: Array, labels: Array) -> dict[str, float]:
        """Return the metrics over N labelled samples, N at least one."""
        ...

    def details(self, decoded: Array, labels: Array) -> dict[str, Any]:
        """Return further details about N labelled samples, as plain JSON types."""
        ...

    def main_statistic(self, decoded: Array, labels: Array) -> Statistic:
        """Return the main metric as a function of row numbers, quick enough to be resampled."""
        ...

    def constant(self, labels: Array, decoded: Array) -> Array:
        """Return outputs shaped like ``decoded``: for all samples what is best without a payload.

        ``labels`` are those of the train split.
        """
        ...

    def describe(self, decoded: Array) -> dict[str, Any]:
        """Return one sample's decoded output as a person reads it."""
        ...

    def summary(self) -> str:
        """Return a phrase about the outputs for the model card."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """Return the fitted state as plain JSON types."""
        ...


@runtime_checkable
class ComparesModalities(Protocol):
    """The additional interface of a task that compares samples across modalities and batches."""

    @property
    def classes(self) -> tuple[str, ...] | None:
        """Groups that belong together; None for single samples, or copies of one payload."""
        ...

    def paired(
        self, labels: Integer[np.ndarray, " N"], present: Bool[np.ndarray, "N M"]
    ) -> Integer[np.ndarray, " N"]:
        """Return the labels, -1 where there are no two modalities to compare."""
        ...

    def told_apart(
        self, labels: Integer[np.ndarray, " N"], payloads: Integer[np.ndarray, "N M"]
    ) -> Integer[np.ndarray, "N ..."]:
        """Return the labels by payload, so that a copy of the right payload is no miss."""
        ...

    def losses_across(
        self,
        outputs: Float[Tensor, "B C"],
        targets: Integer[Tensor, "B ..."],
        labelled: Bool[Tensor, " B"],
        context: WorkerContext | None = None,
    ) -> Float[Tensor, " B"]:
        """Return the loss of each of this worker's samples among those of all workers."""
        ...


Tasks: TypeAlias = Mapping[str, Task]


def repeated(answer: npt.ArrayLike, count: int) -> Array:
    """Return one answer for each of ``count`` samples."""
    row = np.asarray(answer, dtype=np.float32)
    return np.broadcast_to(row, (count, *row.shape)).copy()
