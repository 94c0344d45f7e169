"""Which weights of a pretrained network are trained, and how fast. Axes: B batch, F feature."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import ParametrizationList

from mmray.errors import ConfigError
from mmray.models.encoders.pretrained.lora import Lora, add_adapters

Tune = Literal["full", "last_layers", "lora", "frozen"]


@dataclass(frozen=True, slots=True)
class Tuning:
    """What is trained of a checkpoint."""

    tune: Tune = "full"
    layers: int = 2
    """How many, where ``tune`` is ``last_layers``."""
    lora: Lora = field(default_factory=Lora)
    lr: float = 5e-5
    layer_decay: float = 1.0
    gradient_checkpointing: bool = False


def set_trained(network: Any, tuning: Tuning, probe: Callable[[], Tensor]) -> int:  # noqa: ANN401
    """Let those weights learn that ``tuning`` names and ``probe`` depends on; return its F.

    ``probe`` runs the network and returns a pooled state ``(B, F)``. A weight that does not reach
    it would get no gradient, which data parallelism does not forgive.
    """
    match tuning.tune:
        case "full":
            network.requires_grad_(True)
        case "frozen":
            network.requires_grad_(False)
        case "lora":
            add_adapters(network, tuning.lora)
        case "last_layers":
            _free_last(network, tuning.layers)
    if tuning.gradient_checkpointing:
        _recompute(network)
    learning = [weight for weight in network.parameters() if weight.requires_grad]
    network.eval()
    with torch.enable_grad():
        pooled = probe()
        if learning:
            reached: list[Tensor | None] = list(
                torch.autograd.grad(pooled.sum(), learning, allow_unused=True)
            )
            for weight, gradient in zip(learning, reached, strict=True):
                weight.requires_grad_(gradient is not None)
    return pooled.shape[-1]


def learning_rates(network: nn.Module, tuning: Tuning) -> dict[nn.Parameter, float]:
    """Return ``lr * layer_decay ** (n - i)`` for the weights of layer i of n; 0 is what is before.

    What follows the last layer learns as fast as that.
    """
    learning = {name: weight for name, weight in network.named_parameters() if weight.requires_grad}
    if tuning.layer_decay == 1.0:
        return dict.fromkeys(learning.values(), tuning.lr)
    depths, count = layer_depths(network)
    return {
        weight: tuning.lr * tuning.layer_decay ** (count - depths[name])
        for name, weight in learning.items()
    }


def layer_depths(network: nn.Module) -> tuple[dict[str, int], int]:
    """Return the layer of each weight by name, from 0 (before the first) on, and their number.

    The layers are the network's last list of modules that lies in no other list.
    """
    path, layers = _layers(network)
    depths: dict[str, int] = {}
    depth = 0
    for name, _ in network.named_parameters():  # in the order in which they were registered
        if name.startswith(f"{path}."):
            depth = int(name.removeprefix(f"{path}.").split(".", 1)[0]) + 1
        elif depth:
            depth = len(layers)
        depths[name] = depth
    return depths, len(layers)


def _layers(network: nn.Module) -> tuple[str, nn.ModuleList]:
    found: list[tuple[str, nn.ModuleList]] = []
    for name, module in network.named_modules():
        if not isinstance(module, nn.ModuleList) or isinstance(module, ParametrizationList):
            continue
        is_inner = any(name.startswith(f"{outer}.") for outer, _ in found)
        if not is_inner and next(module.parameters(), None) is not None:
            found.append((name, module))
    if not found:
        raise ConfigError(
            f"a {type(network).__name__} has no list of layers",
            hint="set encode.tune to frozen, or use a custom encoder",
        )
    return found[-1]


def _free_last(network: nn.Module, layers: int) -> None:
    depths, count = layer_depths(network)
    if layers > count:
        raise ConfigError(
            f"a {type(network).__name__} has {count} layers, not {layers}",
            hint=f"set encode.layers to {count} or less",
        )
    for name, weight in network.named_parameters():
        weight.requires_grad_(depths[name] > count - layers)


def _recompute(network: Any) -> None:  # noqa: ANN401 (transformers)
    if not network.supports_gradient_checkpointing:
        raise ConfigError(
            f"a {type(network).__name__} cannot compute its layers again",
            hint="set encode.gradient_checkpointing to false",
        )
    # Transformers 5 has renamed it on its way.
    enable = getattr(network, "activation_checkpointing_enable", None)
    (enable or network.gradient_checkpointing_enable)({"use_reentrant": False})
