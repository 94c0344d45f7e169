"""The weights of a model in groups with equal learning rates and decay."""

from typing import Any

from torch import nn

from mmray.models.encoders.pretrained.base import PretrainedEncoder


def parameter_groups(model: nn.Module, lr: float, weight_decay: float) -> list[dict[str, Any]]:
    """Return groups for an optimiser, each with its ``lr`` and that as a ``share`` of ``lr``.

    Weights of a checkpoint learn at a rate of their own; biases and normalisations do not decay.
    """
    rates: dict[nn.Parameter, float] = {}
    for module in model.modules():
        if isinstance(module, PretrainedEncoder):
            rates |= module.learning_rates()
    groups: dict[tuple[float, bool], list[nn.Parameter]] = {(lr, True): [], (lr, False): []}
    for parameter in model.parameters():
        if parameter.requires_grad:
            key = rates.get(parameter, lr), parameter.dim() > 1
            groups.setdefault(key, []).append(parameter)
    return [
        {
            "params": parameters,
            "lr": rate,
            "share": rate / lr,
            "weight_decay": weight_decay if decays else 0.0,
        }
        for (rate, decays), parameters in groups.items()
    ]
