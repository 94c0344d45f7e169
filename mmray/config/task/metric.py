"""Every metric, in one list: its direction, the kinds of task that have it, what people read.

The function of a metric is attached by name in ``mmray/training/tasks``.
"""

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from mmray.config.base import HintedError
from mmray.core.text.nearest import nearest, shortened

Direction: TypeAlias = Literal["min", "max"]


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric, without its computation."""

    name: str
    direction: Direction | None
    """Which values are better; None where neither is."""
    kinds: tuple[str, ...] = ()
    """The kinds of task that have it."""
    main_of: tuple[str, ...] = ()
    """The kinds of task that reports and plots show it of first."""
    words: str = ""
    """Its title for people, if that is not the name with blanks."""
    low: float | None = None
    """No model can bring it below this."""
    high: float | None = None
    """No model can bring it above this."""
    is_hit_share: bool = False
    """The share of the samples that are right, so that its interval has a closed form."""
    has_unit: bool = False
    """Measured in the unit of the label."""
    of_quantiles: bool = False
    """Only of a task that predicts quantiles."""
    of_pairs: bool = False
    """A mean over the ordered pairs of modalities, each of which has a value of its own."""

    @property
    def title(self) -> str:
        """The name as people write it."""
        return self.words or self.name.replace("_", " ")

    @property
    def sign(self) -> float:
        """One where larger values are better, minus one where smaller ones are."""
        return -1.0 if self.direction == "min" else 1.0


def _share(
    name: str,
    *kinds: str,
    main_of: tuple[str, ...] = (),
    words: str = "",
    is_hit_share: bool = False,
    of_pairs: bool = False,
    of_quantiles: bool = False,
) -> Metric:
    """Return a metric from zero to one, of which more is better."""
    return Metric(
        name, "max", kinds, main_of, words, low=0.0, high=1.0, is_hit_share=is_hit_share,
        of_pairs=of_pairs, of_quantiles=of_quantiles,
    )  # fmt: skip


def _error(
    name: str,
    *kinds: str,
    main_of: tuple[str, ...] = (),
    words: str = "",
    of_quantiles: bool = False,
) -> Metric:
    """Return a metric in the unit of the label, of which less is better."""
    return Metric(name, "min", kinds, main_of, words, has_unit=True, of_quantiles=of_quantiles)


METRICS = (
    _share(
        "accuracy", "classification", "binary", "ordinal",
        main_of=("classification", "binary"), is_hit_share=True,
    ),
    _share("precision_macro", "classification"),
    _share("recall_macro", "classification"),
    _share("f1_macro", "classification", "multilabel", words="F1, macro average"),
    _share("precision_weighted", "classification"),
    _share("recall_weighted", "classification"),
    _share("f1_weighted", "classification"),
    _share("precision", "binary"),
    _share("recall", "binary"),
    _share("f1", "binary", words="F1"),
    _share("auroc", "binary", words="area under the ROC curve"),
    _share("average_precision", "binary"),
    _share("f1_micro", "multilabel", main_of=("multilabel",), words="F1, micro average"),
    _share("subset_accuracy", "multilabel"),
    _share("mean_average_precision", "multilabel"),
    _error(
        "mae", "ordinal", "regression",
        main_of=("ordinal", "regression"), words="mean absolute error",
    ),
    Metric("quadratic_weighted_kappa", "max", ("ordinal",), low=-1.0, high=1.0),
    _error("rmse", "regression", words="root mean squared error"),
    Metric("r2", "max", ("regression",), words="R² (coefficient of determination)", high=1.0),
    _error("pinball", "regression", of_quantiles=True),
    _share("coverage", "regression", of_quantiles=True),
    _error("interval_width", "regression", of_quantiles=True),
    _share("recall_at_1", "alignment", main_of=("alignment",), words="recall@1", of_pairs=True),
    _share("recall_at_5", "alignment", words="recall@5", of_pairs=True),
)  # fmt: skip
"""Metrics of tasks, which the ``metrics`` of an implementation compute."""

EPOCH_METRICS = (
    Metric("loss", "min"),
    Metric("gain", "max"),
    Metric("gain_error", "min"),
    Metric("samples_per_s", "max"),
    *(
        Metric(name, None)
        for name in (
            "lr", "weight", "gradient_norm", "gradient_share", "modulation", "blend", "conflict",
        )
    ),
)  # fmt: skip
"""Other metrics of an epoch, of all tasks, of one, or of a modality."""

COST_METRICS = (Metric("parameters", "min"), Metric("latency_ms", "min"))
"""What a model costs; objectives of a search besides the metrics of an epoch."""

_BY_NAME = {metric.name: metric for metric in (*METRICS, *EPOCH_METRICS, *COST_METRICS)}


def metric_named(name: str) -> Metric:
    """Return a metric, also of one pair of modalities; an unknown one is a HintedError."""
    found = _BY_NAME.get(name)
    if found is None:
        of_pairs = (one for one in METRICS if one.of_pairs and name.startswith(f"{one.name}_"))
        found = next((of_pair(one, name) for one in of_pairs if "_to_" in name), None)
    if found is None:
        close = nearest(name, _BY_NAME)
        raise HintedError(
            f"there is no metric {shortened(name)!r}",
            hint=f"did you mean {close!r}?" if close else "docs/tasks.md lists them",
        )
    return found


def of_pair(metric: Metric, name: str) -> Metric:
    """Return the metric of one pair of modalities."""
    return replace(metric, name=name, main_of=(), words="", of_pairs=False)


def metrics_of(kind: str) -> tuple[Metric, ...]:
    """Return the metrics that a kind of task can have."""
    return tuple(metric for metric in METRICS if kind in metric.kinds)


def main_metric_of(kind: str) -> Metric:
    """Return the metric that reports and plots show first."""
    return next(metric for metric in METRICS if kind in metric.main_of)
