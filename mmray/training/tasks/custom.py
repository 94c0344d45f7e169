"""A user's own task, named as ``package.module:function``. Axes: N samples, B batch, C outputs."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Shaped
from torch import Tensor

from mmray.config.task.kind import main_metric
from mmray.config.task.task import CustomTaskConfig
from mmray.core.label.cell import Label, is_missing
from mmray.core.process.user_code import load_factory
from mmray.core.text.nearest import listed
from mmray.errors import ConfigError, TrainingError
from mmray.models.head import AffineHead
from mmray.training.tasks.label import known_labels
from mmray.training.tasks.metrics.measure import measure
from mmray.training.tasks.task import Array, Statistic, repeated

MEMBERS = ("outputs", "metrics", "encode", "losses", "decode", "constant", "answer", "to_dict")


@runtime_checkable
class UserTask(Protocol):
    """What a factory returns: a task as it is after the labels of the train split are known."""

    @property
    def outputs(self) -> int:
        """How many numbers the head gives for a sample (C)."""
        ...

    @property
    def metrics(self) -> Mapping[str, Callable[[Array, Array], float]]:
        """Functions of decoded outputs and targets, by the names that the document declares."""
        ...

    def encode(self, labels: Sequence[Label | None]) -> Array:
        """Return targets (N, ...): numbers, NaN for None; or integers, -1 for None."""
        ...

    def losses(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of each sample (B); all of them have a label."""
        ...

    def decode(self, outputs: Tensor) -> Array:
        """Return outputs (N, C) for people (N, ...)."""
        ...

    def constant(self, targets: Array) -> Array:
        """Return the decoded output that is best for all samples, of the train split's targets."""
        ...

    def answer(self, decoded: Array) -> str | float | list[str]:
        """Return the answer for one sample's decoded output."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """Return what the factory needs as ``saved``, as plain JSON types."""
        ...


@dataclass(frozen=True, slots=True)
class CustomTask:
    """A user's task, checked wherever a mistake in it would stay unnoticed."""

    config: CustomTaskConfig
    own: UserTask

    @property
    def head(self) -> AffineHead:
        """The head that the model needs."""
        return AffineHead(self.own.outputs)

    @property
    def outputs(self) -> int:
        """Outputs of the head."""
        return self.own.outputs

    def encode(self, labels: Sequence[Label | None]) -> Shaped[np.ndarray, "N ..."]:
        """Return integers, -1 for none, or numbers, NaN for none."""
        known = [None if is_missing(label) else label for label in labels]
        targets = np.asarray(self.own.encode(known))
        if len(targets) != len(labels) or targets.dtype.kind not in "if":
            raise self._broken(
                f"'encode' returned {_form(targets)} for {len(labels)} labels",
                "return an array with one row of integers or of numbers per label",
            )
        return targets.astype(np.int64 if targets.dtype.kind == "i" else np.float32)

    def losses(
        self, outputs: Float[Tensor, "B C"], targets: Shaped[Tensor, "B ..."]
    ) -> Float[Tensor, " B"]:
        """Return the loss of each sample."""
        losses = self.own.losses(outputs, targets)
        if losses.shape != outputs.shape[:1]:
            raise self._broken(
                f"'losses' returned the shape {tuple(losses.shape)} for {len(outputs)} samples",
                "return one loss per sample, and no mean over them",
            )
        return losses

    def decode(self, outputs: Float[Tensor, "N C"]) -> Float[np.ndarray, "N ..."]:
        """Return what the user's task decodes, as float32."""
        decoded = np.asarray(self.own.decode(outputs.float().cpu()))
        if len(decoded) != len(outputs):
            raise self._broken(
                f"'decode' returned {_form(decoded)} for {len(outputs)} samples",
                "return an array with one row per sample",
            )
        return decoded.astype(np.float32)

    def metrics(self, decoded: Array, labels: Array) -> dict[str, float]:
        """Return the metrics that the document declares."""
        functions = {
            name: _of_both(function, decoded, labels) for name, function in self.own.metrics.items()
        }
        return measure(functions, np.arange(len(labels)))

    def details(self, decoded: Array, labels: Array) -> dict[str, Any]:
        """Return nothing: the metrics are all that is known."""
        return {}

    def main_statistic(self, decoded: Array, labels: Array) -> Statistic:
        """Return the first metric as a function of row numbers."""
        function = self.own.metrics[main_metric(self.config).name]
        return _of_both(function, decoded, labels)

    def constant(self, labels: Array, decoded: Array) -> Array:
        """Return the user's constant answer for every sample."""
        return repeated(self.own.constant(labels), len(decoded))

    def describe(self, decoded: Array) -> dict[str, Any]:
        """Return the answer in the form that the document declares."""
        answer: Any = self.own.answer(decoded)
        match self.config.labels:
            case "number":
                return {"value": float(answer)}
            case "class":
                return {"label": str(answer)}
            case "classes":
                return {"labels": [str(each) for each in answer]}

    def summary(self) -> str:
        """Say what the outputs are."""
        article = "" if self.config.labels == "classes" else "a "
        return f"{article}{self.config.labels}, by the factory `{self.config.factory}`"

    def to_dict(self) -> dict[str, Any]:
        """Return what the user's task saves."""
        return {"kind": "custom", "saved": self.own.to_dict()}

    def _broken(self, problem: str, hint: str) -> TrainingError:
        return TrainingError(problem, where=f"factory {self.config.factory}", hint=hint)


def fit_custom(
    config: CustomTaskConfig, labels: Sequence[Label | None], _: Sequence[str] = ()
) -> CustomTask:
    """Call the factory with the labels of the train split."""
    return _build(config, labels=known_labels(config.column, labels), saved=None)


def restore_custom(config: CustomTaskConfig, document: Mapping[str, Any]) -> CustomTask:
    """Call the factory with what its task saved."""
    return _build(config, labels=None, saved=document["saved"])


def _build(
    config: CustomTaskConfig, *, labels: Sequence[Label] | None, saved: Mapping[str, Any] | None
) -> CustomTask:
    factory = load_factory(config.factory)
    arguments = {"labels": labels, "saved": saved} | config.options
    try:
        inspect.signature(factory).bind(**arguments)
    except TypeError as error:
        raise ConfigError(
            f"the factory {config.factory!r} cannot be called: {error}",
            hint="it gets 'labels', 'saved' and the keys of 'options' as keyword arguments",
        ) from None
    own = factory(**arguments)
    missing = [name for name in MEMBERS if not hasattr(own, name)]
    if missing:
        raise ConfigError(
            f"{config.factory!r} returned {type(own).__name__}, without {listed(missing)}",
            hint=f"a task has {listed(MEMBERS)}",
        )
    if set(own.metrics) != set(config.metrics):
        raise ConfigError(
            f"{config.factory!r} computes the metrics {listed(sorted(own.metrics))}; the document "
            f"declares {listed(sorted(config.metrics))}",
            hint="name the same ones in 'metrics' of both",
        )
    return CustomTask(config, own)


def _of_both(function: Callable[[Array, Array], float], decoded: Array, labels: Array) -> Statistic:
    return lambda rows: float(function(decoded[rows], labels[rows]))


def _form(array: Array) -> str:
    return f"an array of shape {array.shape} and type {array.dtype}"
