"""Optimisation, and the metric that selects an epoch."""

from typing import Literal, Self

from pydantic import (
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    model_validator,
)

from mmray.config.base import Fraction, HintedError, StrictModel
from mmray.config.task.metric import Direction, metric_named
from mmray.config.training.balance import BalanceConfig, NoBalanceConfig
from mmray.config.training.weighting import (
    FixedWeightingConfig,
    GradNormWeightingConfig,
    WeightingConfig,
)


class ObjectiveConfig(StrictModel):
    """A metric with its direction."""

    metric: str = "val/loss"
    """For example ``val/loss`` or ``val/digit/f1_macro``."""
    mode: Direction | None = None
    """By default ``min`` for losses and errors, and ``max`` for the rest."""

    @property
    def direction(self) -> Direction:
        """Return ``min`` or ``max``; a metric that is not known, or has neither, is an error."""
        found = self.mode or metric_named(self.metric.rpartition("/")[2]).direction
        if found is None:
            raise HintedError(
                f"neither large nor small values of {self.metric!r} are better",
                hint="choose another metric, or set 'mode' to min or max",
            )
        return found

    def is_better(self, value: float, than: float) -> bool:
        """Return whether ``value`` beats ``than``."""
        return value < than if self.direction == "min" else value > than


class EarlyStopConfig(ObjectiveConfig):
    """Stop when the metric has not improved for ``patience`` epochs."""

    patience: PositiveInt = 5
    """Number of epochs without improvement after which training stops."""


class ElasticWorkers(StrictModel):
    """As many workers as the cluster has room for; their number may change between epochs."""

    min: PositiveInt = 1
    """Smallest number of workers."""
    max: PositiveInt
    """Largest number of workers."""

    @model_validator(mode="after")
    def _min_comes_first(self) -> Self:
        if self.min > self.max:
            raise ValueError(f"workers.min ({self.min}) is above workers.max ({self.max})")
        return self


class TrainConfig(StrictModel):
    """How the model is trained."""

    epochs: PositiveInt = 20
    """Passes over the train split, at most."""
    batch_size: PositiveInt = 32
    """Samples in one step over all workers together."""
    accumulate: PositiveInt = 1
    """Parts that each worker's share of a batch is cut into: less memory, the same step."""
    sampling: Literal["shuffled", "balanced"] = "shuffled"
    """``shuffled``: every sample once per epoch. ``balanced``: every class equally often."""
    sampling_task: str | None = None
    """Task whose classes are balanced; by default the first one with one class per sample."""
    lr: PositiveFloat = 2e-3
    """Highest learning rate."""
    weight_decay: NonNegativeFloat = 0.01
    """Decay of the weights (AdamW)."""
    warmup: Fraction = 0.05
    """Share of all steps over which the learning rate rises; from zero, or lr / 25 in one_cycle."""
    schedule: Literal["constant", "cosine", "linear", "one_cycle"] = "cosine"
    """How the learning rate falls after warm-up; docs/reference/training.md has the formulas."""
    clip_norm: PositiveFloat = 1.0
    """Largest norm of the gradients; larger ones are scaled down."""
    precision: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """``auto`` is bfloat16 on a GPU that has it, float32 elsewhere; ``float16`` needs a GPU."""
    compile: bool = False
    """Compile the model with torch.compile; needs a C++ compiler on every node."""
    workers: PositiveInt | ElasticWorkers | Literal["auto"] = "auto"
    """Ray Train workers. ``auto``: one per GPU of the cluster, or one where there is none."""
    stream: Literal["auto", "always", "never"] = "auto"
    """Read features from a file, batch by batch. ``auto``: only where they do not fit in memory."""
    memory_fraction: PositiveFloat = Field(default=0.5, le=1.0)
    """Share of the free memory that the workers' features may take before they are streamed."""
    parallel: Literal["ddp", "fsdp"] = "ddp"
    """``fsdp`` shards weights, gradients and optimiser state over the workers."""
    max_failures: NonNegativeInt = 2
    """How often training resumes from its last checkpoint after a worker has died."""
    seed: NonNegativeInt = 0
    """Seed of weights, order and augmentation."""
    keep_best: ObjectiveConfig = ObjectiveConfig()
    """Metric that selects the epoch whose weights become the model."""
    early_stop: EarlyStopConfig | None = None
    """Stop training before its last epoch; off by default."""
    ema: float | None = Field(default=None, gt=0.0, lt=1.0)
    """Decay of a running average of the weights, which is evaluated and kept instead of them."""
    soup: int | None = Field(default=None, ge=2)
    """Number of best checkpoints that a greedy soup averages, as far as validation improves."""
    task_weighting: WeightingConfig = FixedWeightingConfig()
    """How the losses of several tasks are weighted."""
    balance: BalanceConfig = NoBalanceConfig()
    """Keeps a modality that learns fast from holding back the others."""
    watch_modalities: bool = True
    """Report after every epoch how good each modality is alone, and how large its gradients are."""
    keep_checkpoints: PositiveInt = 2
    """Number of newest checkpoints to keep besides the best one; all are removed when training is
    complete."""

    @model_validator(mode="after")
    def _whole_batches_where_they_are_needed(self) -> Self:
        if self.accumulate > 1 and isinstance(self.task_weighting, GradNormWeightingConfig):
            raise ValueError("gradnorm needs the gradient of complete batches: set accumulate to 1")
        return self

    @model_validator(mode="after")
    def _whole_weights_where_they_are_needed(self) -> Self:
        is_learned = not isinstance(self.task_weighting, FixedWeightingConfig)
        wrong = {
            "ema": self.ema is not None,
            "compile": self.compile,
            "task_weighting": is_learned,
            "balance": not isinstance(self.balance, NoBalanceConfig),
        }
        if self.parallel == "fsdp" and any(wrong.values()):
            name = next(name for name, is_set in wrong.items() if is_set)
            raise ValueError(f"{name} needs all weights on every worker: set parallel to ddp")
        return self

    @model_validator(mode="after")
    def _soup_is_evaluated_on_validation(self) -> Self:
        if self.soup is not None and not self.keep_best.metric.startswith("val/"):
            raise ValueError(
                f"a soup is evaluated on val, and keep_best.metric is {self.keep_best.metric!r}"
            )
        return self
