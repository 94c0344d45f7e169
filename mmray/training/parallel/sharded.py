"""Weights, gradients and optimiser state shared out among the workers (FSDP2).

Torch's modules for it are loaded where there are workers at all: they take half a second.
"""

import warnings
from collections.abc import Mapping

import torch
import torch.distributed as dist
from torch import Tensor, nn

from mmray.training.modalities.training_model import TrainingModel


def shard(view: nn.Module) -> nn.Module:
    """Shard each encoder, the fusion, and together what is left; return the view.

    An encoder's weights are gathered while it is at work, and given back.
    """
    from torch.distributed.fsdp import fully_shard

    # Harmless: nothing here changes an output in place.
    warnings.filterwarnings("ignore", message="FSDP2-wrapped module .* returned a view tensor")
    assert isinstance(view, TrainingModel)  # the only one that training wraps
    for part in (*view.model.encoders, view.model.fusion):
        if part is not None and any(True for _ in part.parameters()):
            fully_shard(part)
    fully_shard(view)
    return view


def whole(value: Tensor) -> Tensor:
    """Return a tensor with the parts of all workers; every worker must call this."""
    if not dist.is_initialized():
        return value
    from torch.distributed.tensor import DTensor

    return value.full_tensor() if isinstance(value, DTensor) else value


def like(value: Tensor, reference: Tensor) -> Tensor:
    """Return this worker's shard of a full tensor, sharded as ``reference`` is."""
    if not dist.is_initialized():
        return value
    from torch.distributed.tensor import DTensor, distribute_tensor

    if not isinstance(reference, DTensor):
        return value
    value = value.to(reference.device)
    return distribute_tensor(value, reference.device_mesh, reference.placements)


@torch.no_grad()
def load_weights(model: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Load full weights into a model that may be sharded."""
    for name, value in model.state_dict().items():
        value.copy_(like(weights[name], value))


def synchronise(wrapped: nn.Module, *, is_on: bool) -> None:
    """Exchange gradients in the next backward pass, or not yet; of a sharded model."""
    if not dist.is_initialized():
        return
    from torch.distributed.fsdp import FSDPModule

    for module in wrapped.modules():
        if isinstance(module, FSDPModule):
            module.set_requires_gradient_sync(is_on)
