"""Losses of flags, of which a binary task has one. Axes: B batch, C flags."""

from typing import assert_never

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from mmray.config.task.loss import BceConfig, FocalConfig
from mmray.training.tasks.losses.formula import focal_flags


def flag_losses(
    config: BceConfig | FocalConfig,
    logits: Float[Tensor, "B C"],
    flags: Float[Tensor, "B C"],
    positive_weights: Float[Tensor, " C"],
) -> Float[Tensor, "B C"]:
    """Return the loss of each flag; ``positive_weights`` are of its label one."""
    match config:
        case BceConfig():
            return F.binary_cross_entropy_with_logits(
                logits, flags, reduction="none", pos_weight=positive_weights
            )
        case FocalConfig():
            return focal_flags(logits, flags, gamma=config.gamma, alpha=config.alpha)
        case _:
            assert_never(config)


def balanced_weight(config: BceConfig | FocalConfig, positives: int, negatives: int) -> float:
    """Return the weight of a positive label; one where nothing can be balanced."""
    if isinstance(config, FocalConfig) or config.positive_weight == "none":
        return 1.0
    if config.positive_weight == "balanced":
        return negatives / positives if positives and negatives else 1.0
    return config.positive_weight
