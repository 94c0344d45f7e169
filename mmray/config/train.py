"""Optimisation, and the metric by which it is judged."""

from typing import Literal

from pydantic import NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from mmray.config.balance import BalanceConfig, NoBalanceConfig
from mmray.config.base import Fraction, StrictModel
from mmray.config.weighting import FixedWeightingConfig, WeightingConfig

SMALLER_IS_BETTER = ("loss", "mae", "rmse", "pinball", "interval_width")


class ObjectiveConfig(StrictModel):
    """A metric with its direction."""

    metric: str = "val/loss"
    """For example ``val/loss`` or ``val/digit/f1_macro``."""
    mode: Literal["min", "max"] | None = None
    """By default ``min`` for losses and errors, and ``max`` for the rest."""

    @property
    def direction(self) -> Literal["min", "max"]:
        """Return ``min`` or ``max``."""
        smaller = self.metric.rsplit("/", 1)[-1] in SMALLER_IS_BETTER
        return self.mode or ("min" if smaller else "max")

    def is_better(self, value: float, than: float) -> bool:
        """Return whether ``value`` beats ``than``."""
        return value < than if self.direction == "min" else value > than


class EarlyStopConfig(ObjectiveConfig):
    """Stop when the metric has not become better for ``patience`` epochs."""

    patience: PositiveInt = 5


class TrainConfig(StrictModel):
    """How the model is trained."""

    epochs: PositiveInt = 20
    batch_size: PositiveInt = 64
    """Samples in one step over all workers together."""
    lr: PositiveFloat = 1e-3
    weight_decay: NonNegativeFloat = 0.01
    warmup: Fraction = 0.05
    """Share of all steps over which the learning rate rises from zero."""
    schedule: Literal["constant", "cosine"] = "cosine"
    clip_norm: PositiveFloat = 1.0
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """``auto`` is bfloat16 on a GPU that has it, float32 elsewhere."""
    workers: PositiveInt | Literal["auto"] = "auto"
    """Ray Train workers. ``auto``: one per GPU of the cluster, or one where there is none."""
    max_failures: NonNegativeInt = 2
    """How often training goes on from its last checkpoint after a worker has died."""
    seed: NonNegativeInt = 0
    keep_best: ObjectiveConfig = ObjectiveConfig()
    """The weights of the epoch that is best by this metric become the model."""
    early_stop: EarlyStopConfig | None = None
    task_weighting: WeightingConfig = FixedWeightingConfig()
    balance: BalanceConfig = NoBalanceConfig()
    """Against a modality that is learnt fast keeping the others from being learnt."""
    watch_modalities: bool = True
    """Tell after every epoch how good each modality is alone, and how large its gradients are."""
    keep_checkpoints: PositiveInt = 2
    """The newest ones, for going on; the best is kept besides."""
