"""What a task learns from its labels, and its loss. Axes: B batch, C outputs, N labels."""

import difflib
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias, assert_never

import numpy as np
import torch
from jaxtyping import Bool, Float, Shaped
from torch import Tensor
from torch.nn import functional as F

from mmray.config.task import ClassificationConfig, RegressionConfig, TaskConfig
from mmray.errors import ManifestError, TrainingError

Label: TypeAlias = str | int | float | None


@dataclass(frozen=True, slots=True)
class ClassificationState:
    """The classes, in the order of the outputs."""

    classes: tuple[str, ...]
    weights: tuple[float, ...] | None = None
    """Of each class in the loss."""

    def to_dict(self) -> dict[str, Any]:
        """Return the state as plain JSON types."""
        weights = None if self.weights is None else list(self.weights)
        return {"kind": "classification", "classes": list(self.classes), "weights": weights}


@dataclass(frozen=True, slots=True)
class RegressionState:
    """What standardises the target."""

    mean: float
    std: float

    def to_dict(self) -> dict[str, Any]:
        """Return the state as plain JSON types."""
        return {"kind": "regression"} | asdict(self)


TaskState: TypeAlias = ClassificationState | RegressionState
Tasks: TypeAlias = Mapping[str, tuple[TaskConfig, TaskState]]


def state_from_dict(document: Mapping[str, Any]) -> TaskState:
    """Read back what ``to_dict`` wrote."""
    if document["kind"] == "regression":
        return RegressionState(document["mean"], document["std"])
    weights = document["weights"]
    return ClassificationState(
        tuple(document["classes"]), None if weights is None else tuple(weights)
    )


def fit_task(config: TaskConfig, labels: Sequence[Label]) -> TaskState:
    """Learn the classes, or mean and deviation, from the labels of the train split."""
    known = [label for label in labels if not _is_missing(label)]
    if not known:
        raise TrainingError(
            f"no sample of the train split has a label in column {config.column!r}",
            where=f"column {config.column}",
            hint="check the column's name, and how the samples are split",
        )
    match config:
        case ClassificationConfig():
            return _fit_classes(config, Counter(class_name(label) for label in known))
        case RegressionConfig():
            numbers = _to_numbers(known)
            return RegressionState(float(numbers.mean()), float(numbers.std()) or 1.0)
        case _:
            assert_never(config)


def _fit_classes(config: ClassificationConfig, counts: Counter[str]) -> ClassificationState:
    classes = config.classes or tuple(sorted(counts))
    if len(classes) < 2:
        raise TrainingError(
            f"column {config.column!r} has only one class: {', '.join(classes)}",
            where=f"column {config.column}",
            hint="a classification needs two classes: check the column, and the splits",
        )
    state = ClassificationState(classes)
    encode_labels(state, list(counts))  # a label that is not among the classes is an error
    if config.loss.class_weights == "none":
        return state
    total, present = counts.total(), len(counts)
    weights = tuple(total / (present * counts[c]) if counts[c] else 1.0 for c in classes)
    return ClassificationState(classes, weights)


def class_name(label: Label) -> str:
    """Return a label as text: the number 3.0, as a column with gaps holds it, is ``3``."""
    return str(int(label)) if isinstance(label, float) and label.is_integer() else str(label)


def encode_labels(state: TaskState, labels: Sequence[Label]) -> Shaped[np.ndarray, " N"]:
    """Return class numbers (int64, -1 for none) or standardised numbers (float32, NaN for none)."""
    match state:
        case ClassificationState():
            numbers = {name: number for number, name in enumerate(state.classes)}
            return np.array([_class_number(numbers, label) for label in labels], dtype=np.int64)
        case RegressionState():
            return ((_to_numbers(labels) - state.mean) / state.std).astype(np.float32)
        case _:
            assert_never(state)


def _class_number(numbers: Mapping[str, int], label: Label) -> int:
    if _is_missing(label):
        return -1
    name = class_name(label)
    if name in numbers:
        return numbers[name]
    close = difflib.get_close_matches(name, numbers, n=1)
    allowed = ", ".join(numbers)
    raise ManifestError(
        f"unknown class {name!r}; the classes are: {allowed}",
        hint=f"did you mean {close[0]!r}?" if close else "list all classes in tasks.<name>.classes",
    )


def _to_numbers(labels: Sequence[Label]) -> Float[np.ndarray, " N"]:
    return np.array([_to_number(label) for label in labels], dtype=np.float64)


def _to_number(label: Label) -> float:
    if label is None or label == "":
        return math.nan
    try:
        number = float(label)
    except ValueError as error:
        raise ManifestError(
            f"the label {label!r} of a regression is not a number",
            hint="leave the label out where it is not known",
        ) from error
    if math.isinf(number):
        raise ManifestError(f"the label {label!r} of a regression is not finite")
    return number


def _is_missing(label: Label) -> bool:
    return label is None or label == "" or (isinstance(label, float) and math.isnan(label))


def head_size(state: TaskState) -> int:
    """Return how many outputs the task's head has."""
    return len(state.classes) if isinstance(state, ClassificationState) else 1


def task_loss(
    config: TaskConfig,
    state: TaskState,
    outputs: Float[Tensor, "B C"],
    labels: Shaped[Tensor, " B"],
    labelled: Bool[Tensor, " B"],
) -> Float[Tensor, " B"]:
    """Return the loss of each sample, zero where it has no label."""
    # Replaced before the loss: a NaN beside torch.where would still reach the gradient.
    targets = torch.where(labelled, labels, 0)
    losses = _losses(config, state, outputs.float(), targets)
    return torch.where(labelled, losses, 0.0)


def _losses(config: TaskConfig, state: TaskState, outputs: Tensor, targets: Tensor) -> Tensor:
    if isinstance(config, ClassificationConfig) and isinstance(state, ClassificationState):
        weights = None if state.weights is None else outputs.new_tensor(state.weights)
        smoothing = config.loss.label_smoothing
        return F.cross_entropy(
            outputs, targets, weights, reduction="none", label_smoothing=smoothing
        )
    number = outputs.squeeze(-1)  # (B,)
    match config.loss.kind:
        case "mse":
            return F.mse_loss(number, targets, reduction="none")
        case "mae":
            return F.l1_loss(number, targets, reduction="none")
        case _:
            return F.huber_loss(number, targets, reduction="none")


def decode_outputs(
    state: TaskState, outputs: Float[Tensor, "B C"]
) -> Float[np.ndarray, "B C"] | Float[np.ndarray, " B"]:
    """Return probabilities (B, C), or numbers (B,) in the label's own unit."""
    if isinstance(state, ClassificationState):
        return outputs.float().softmax(dim=-1).cpu().numpy()
    return decode_numbers(state, outputs.squeeze(-1).float().cpu().numpy())


def decode_numbers(
    state: RegressionState, standardised: Float[np.ndarray, " B"]
) -> Float[np.ndarray, " B"]:
    """Return standardised numbers in the label's own unit."""
    return standardised * np.float32(state.std) + np.float32(state.mean)
