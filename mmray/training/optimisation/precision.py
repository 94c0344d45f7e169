"""In which numbers the forward pass of training computes."""

from contextlib import AbstractContextManager, nullcontext
from typing import Literal

import torch
from torch.amp.grad_scaler import GradScaler

from mmray.errors import TrainingError

Precision = Literal["auto", "float32", "bfloat16", "float16"]


def autocast(precision: Precision, device: torch.device) -> AbstractContextManager[object]:
    """Return the context of a forward pass."""
    match precision:
        case "float32":
            return nullcontext()
        case "auto":
            is_native = device.type == "cuda" and torch.cuda.is_bf16_supported(
                including_emulation=False
            )
            return torch.autocast(device.type, dtype=torch.bfloat16) if is_native else nullcontext()
        case "float16":
            return torch.autocast(device.type, dtype=torch.float16)
        case "bfloat16":
            return torch.autocast(device.type, dtype=torch.bfloat16)


def build_scaler(precision: Precision, device: torch.device) -> GradScaler:
    """Return what keeps small float16 gradients from becoming zero; else it does nothing."""
    if precision == "float16" and device.type != "cuda":
        raise TrainingError(
            f"float16 needs a GPU, and this worker has a {device.type}",
            where="train.precision",
            hint="bfloat16 and float32 train anywhere",
        )
    return GradScaler(device.type, enabled=precision == "float16")
