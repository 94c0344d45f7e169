"""Optimisation, and the metric by which it is evaluated."""

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
    """Stop when the metric has not become better for ``patience`` epochs."""

    patience: PositiveInt = 5
    """Epochs without a better value after which training stops."""


class ElasticWorkers(StrictModel):
    """As many workers as the cluster has room for, also when that changes between epochs."""

    min: PositiveInt = 1
    """Fewest workers that training runs on."""
    max: PositiveInt
    """Most workers that training runs on."""

    @model_validator(mode="after")
    def _min_comes_first(self) -> Self:
        if self.min > self.max:
            raise ValueError(f"workers.min ({self.min}) is above workers.max ({self.max})")
        return self


class TrainConfig(StrictModel):
    """How the model is trained."""

    epochs: PositiveInt = 20
    """Passes over the train split, at most."""
    batch_size: PositiveInt = 64
    """Samples in one step over all workers together."""
    accumulate: PositiveInt = 1
    """Parts that each worker's share of a batch is cut into: less memory, the same step."""
    sampling: Literal["shuffled", "balanced"] = "shuffled"
    """``shuffled``: every sample once per epoch. ``balanced``: every class as often."""
    sampling_task: str | None = None
    """Whose classes are balanced; by default the first task with one class per sample."""
    lr: PositiveFloat = 1e-3
    """Learning rate at its highest."""
    weight_decay: NonNegativeFloat = 0.01
    """Decay of the weights (AdamW)."""
    warmup: Fraction = 0.05
    """Share of all steps over which the learning rate rises; from zero, or lr / 25 in one_cycle."""
    schedule: Literal["constant", "cosine", "linear", "one_cycle"] = "cosine"
    """What the rate does after its rise; docs/reference/training.md has the formulas."""
    clip_norm: PositiveFloat = 1.0
    """Largest norm of the gradients; larger ones are scaled down."""
    precision: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """``auto`` is bfloat16 on a GPU that has it, float32 elsewhere; ``float16`` needs a GPU."""
    compile: bool = False
    """Compile the model with torch.compile; needs a C++ compiler on every node."""
    workers: PositiveInt | ElasticWorkers | Literal["auto"] = "auto"
    """Ray Train workers. ``auto``: one per GPU of the cluster, or one where there is none."""
    stream: Literal["auto", "always", "never"] = "auto"
    """Read features from a file batch by batch. ``auto``: only where they do not fit in memory."""
    memory_fraction: PositiveFloat = Field(default=0.5, le=1.0)
    """Share of the free memory that the workers' features may take before they are streamed."""
    parallel: Literal["ddp", "fsdp"] = "ddp"
    """``fsdp`` shares weights, gradients and optimiser state out among the workers."""
    max_failures: NonNegativeInt = 2
    """How often training goes on from its last checkpoint after a worker has died."""
    seed: NonNegativeInt = 0
    """Seed of weights, order and augmentation."""
    keep_best: ObjectiveConfig = ObjectiveConfig()
    """The weights of the epoch that is best by this metric become the model."""
    early_stop: EarlyStopConfig | None = None
    """When training stops before its last epoch; never by default."""
    ema: float | None = Field(default=None, gt=0.0, lt=1.0)
    """Decay of a running average of the weights, which is evaluated and kept in their place."""
    soup: int | None = Field(default=None, ge=2)
    """Mean of those of so many best checkpoints that make validation better together."""
    task_weighting: WeightingConfig = FixedWeightingConfig()
    """How the losses of several tasks are added up."""
    balance: BalanceConfig = NoBalanceConfig()
    """Against a modality that is learnt fast keeping the others from being learnt."""
    watch_modalities: bool = True
    """Tell after every epoch how good each modality is alone, and how large its gradients are."""
    keep_checkpoints: PositiveInt = 2
    """The newest ones, to resume from, and the best; none when the training is complete."""

    @model_validator(mode="after")
    def _whole_batches_where_they_are_needed(self) -> Self:
        if self.accumulate > 1 and isinstance(self.task_weighting, GradNormWeightingConfig):
            raise ValueError("gradnorm needs the gradient of whole batches: set accumulate to 1")
        return self

    @model_validator(mode="after")
    def _whole_weights_where_they_are_needed(self) -> Self:
        is_learnt = not isinstance(self.task_weighting, FixedWeightingConfig)
        wrong = {
            "ema": self.ema is not None,
            "compile": self.compile,
            "task_weighting": is_learnt,
            "balance": not isinstance(self.balance, NoBalanceConfig),
        }
        if self.parallel == "fsdp" and any(wrong.values()):
            name = next(name for name, is_set in wrong.items() if is_set)
            raise ValueError(f"{name} needs whole weights on every worker: parallel: ddp has them")
        return self

    @model_validator(mode="after")
    def _soup_is_evaluated_on_validation(self) -> Self:
        if self.soup is not None and not self.keep_best.metric.startswith("val/"):
            raise ValueError(
                f"a soup is evaluated on val, and keep_best.metric is {self.keep_best.metric!r}"
            )
        return self
