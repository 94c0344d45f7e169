"""Which weights of a pretrained network are trained, and how fast. Axes: B batch, F feature."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import ParametrizationList

from mmray.errors import ConfigError
from mmray.models.encoders.pretrained.lora import Lora, add_adapters

CallOrder = Mapping[str, bool]
"""Name of a module -> whether it is first called after the first layer has begun."""
Tune = Literal["full", "last_layers", "lora", "frozen"]


@dataclass(frozen=True, slots=True)
class Tuning:
    """The trained part of a checkpoint."""

    tune: Tune = "full"
    layers: int = 2
    """Number of layers, if ``tune`` is ``last_layers``."""
    lora: Lora = field(default_factory=Lora)
    lr: float = 5e-5
    layer_decay: float = 1.0
    gradient_checkpointing: bool = False


def call_order(network: nn.Module, tuning: Tuning, probe: Callable[[], Tensor]) -> CallOrder:
    """Return which modules ``probe`` calls, and whether first after the first layer has begun.

    Names do not show it: a normalisation that ends the network may be listed before its layers, and
    what all layers use behind them. Empty if ``tuning`` does not distinguish layers.
    """
    if tuning.tune != "last_layers" and tuning.layer_decay == 1.0:
        return {}
    path, _ = _layers(network)
    order: dict[str, bool] = {}

    def note(name: str, *_: object) -> None:
        order.setdefault(name, any(called.startswith(f"{path}.") for called in order))

    hooks = [
        module.register_forward_pre_hook(partial(note, name))
        for name, module in network.named_modules()
    ]
    network.eval()
    with torch.no_grad():
        probe()
    for hook in hooks:
        hook.remove()
    return order


def set_trained(
    network: Any,  # noqa: ANN401 (transformers)
    tuning: Tuning,
    probe: Callable[[], Tensor],
    order: CallOrder,
) -> int:
    """Train the weights that ``tuning`` names and ``probe`` depends on; return its F.

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
            _free_last(network, tuning.layers, order)
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


def learning_rates(
    network: nn.Module, tuning: Tuning, order: CallOrder
) -> dict[nn.Parameter, float]:
    """Return ``lr * layer_decay ** (n - i)`` for the weights of layer i of n; 0 is what is before.

    What follows the last layer learns as fast as that.
    """
    learning = {name: weight for name, weight in network.named_parameters() if weight.requires_grad}
    if tuning.layer_decay == 1.0:
        return dict.fromkeys(learning.values(), tuning.lr)
    depths, count = layer_depths(network, order)
    return {
        weight: tuning.lr * tuning.layer_decay ** (count - depths[name])
        for name, weight in learning.items()
    }


def layer_depths(network: nn.Module, order: CallOrder) -> tuple[dict[str, int], int]:
    """Return the layer of each weight by name, from 0 (before the first) on, and their number.

    The layers are the network's last list of modules that lies in no other list. A weight outside
    of them is where its module is called; of one that is not, where that is which holds it.
    """
    path, layers = _layers(network)

    def depth(name: str) -> int:
        if name.startswith(f"{path}."):
            return int(name.removeprefix(f"{path}.").split(".", 1)[0]) + 1
        owner = name.rpartition(".")[0]
        while owner and owner not in order:
            owner = owner.rpartition(".")[0]
        return len(layers) if order.get(owner) else 0

    return {name: depth(name) for name, _ in network.named_parameters()}, len(layers)


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


def _free_last(network: nn.Module, layers: int, order: CallOrder) -> None:
    depths, count = layer_depths(network, order)
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
