"""Low-rank adapters by the peft library."""

from dataclasses import dataclass
from typing import Any, Literal

from torch import nn

from mmray.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Lora:
    """Size and place of the adapters."""

    rank: int = 8
    alpha: float = 16.0
    dropout: float = 0.0
    target: Literal["linear"] | tuple[str, ...] = "linear"


def add_adapters(network: nn.Module, lora: Lora) -> None:
    """Add adapters to the layers of ``network``; only they learn, and initially add zero."""
    from peft import LoraConfig, inject_adapter_in_model
    from transformers.pytorch_utils import Conv1D

    _check_adaptable(network)
    affine = affine_layers(network)
    names = affine if lora.target == "linear" else list(lora.target)
    settings: Any = LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,  # pyright: ignore[reportArgumentType] (a fraction is as good)
        lora_dropout=lora.dropout,
        target_modules=names,
        fan_in_fan_out=any(isinstance(module, Conv1D) for module in network.modules()),
    )
    try:
        inject_adapter_in_model(settings, network)
    except ValueError as error:
        known = sorted({name.rsplit(".", 1)[-1] for name in affine})
        raise ConfigError(
            f"a {type(network).__name__} has no layer to adapt: {str(error).splitlines()[0]}",
            hint=f"encode.lora.target may name {', '.join(known)}",
        ) from error
    for name, weight in network.named_parameters():
        weight.requires_grad_(".lora_" in name)


def _check_adaptable(network: Any) -> None:  # noqa: ANN401 (transformers)
    """Refuse a MobileNet: it pads by what it reads of its convolutions, which adapters hide."""
    if getattr(network.config, "tf_padding", False):
        raise ConfigError(
            f"a {type(network).__name__} cannot have adapters",
            hint="set encode.tune to last_layers",
        )


def affine_layers(network: nn.Module) -> list[str]:
    """Return the names of all affine maps, or of all convolutions where there is no affine map."""
    from transformers.pytorch_utils import Conv1D

    # Subclasses read their weights without a call, so an adapter would have no effect.
    modules = list(network.named_modules())
    affine = [name for name, module in modules if type(module) in (nn.Linear, Conv1D)]
    return affine or [
        name for name, module in modules if type(module) is nn.Conv2d and module.groups == 1
    ]
