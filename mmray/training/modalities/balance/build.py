"""From the document's section to the method."""

from collections.abc import Sequence
from typing import assert_never

from torch import nn

from mmray.config.training.balance import (
    BalanceConfig,
    GradientBlendingConfig,
    MmParetoConfig,
    NoBalanceConfig,
    OgmGeConfig,
)
from mmray.models.fusion_model import FusionModel
from mmray.training.loop.plan import TrainPlan
from mmray.training.modalities.balance.balance import Balance
from mmray.training.modalities.balance.gradient_blending import GradientBlending
from mmray.training.modalities.balance.mmpareto import MmPareto
from mmray.training.modalities.balance.ogm_ge import OgmGe
from mmray.training.tasks.build import independent_tasks


def build_balance(model: FusionModel, plan: TrainPlan) -> Balance:
    """Build the method named by ``train.balance``; one modality alone has nothing to balance."""
    weights = encoder_weights(model)
    if len(weights) < 2 or not independent_tasks(plan.tasks):
        return Balance(plan, weights)
    return _build(plan.config.balance, plan, weights)


def encoder_weights(model: FusionModel) -> list[list[nn.Parameter]]:
    """Return what is trained of each modality's encoder and the normalisation behind it."""
    return [
        [w for w in (*encoder.parameters(), *norm.parameters()) if w.requires_grad]
        for encoder, norm in zip(model.encoders, model.norms, strict=True)
    ]


def _build(
    config: BalanceConfig, plan: TrainPlan, weights: Sequence[Sequence[nn.Parameter]]
) -> Balance:
    match config:
        case NoBalanceConfig():
            return Balance(plan, weights)
        case OgmGeConfig():
            return OgmGe(config, plan, weights)
        case GradientBlendingConfig():
            return GradientBlending(config, plan, weights)
        case MmParetoConfig():
            return MmPareto(config, plan, weights)
        case _:
            assert_never(config)
