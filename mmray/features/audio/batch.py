"""Which segments share a batch, and how they are padded. Axes: B batch, S samples."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import torch

Inputs: TypeAlias = Mapping[str, npt.NDArray[Any]]
"""The inputs of a model for one segment, by name, without a batch axis."""


def batches(inputs: Sequence[Inputs], batch_size: int, *, is_mixed: bool) -> Iterator[list[int]]:
    """Yield rows that share a batch: of one shape, or of neighbouring lengths when mixed."""
    shapes = [next(iter(entry.values())).shape for entry in inputs]
    order = sorted(range(len(inputs)), key=lambda row: shapes[row])
    batch: list[int] = []
    for row in order:
        fits = not batch or is_mixed or shapes[row] == shapes[batch[0]]
        if not fits or len(batch) == batch_size:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


def run_network(
    network: Any,  # noqa: ANN401 (transformers)
    inputs: Sequence[Inputs],
    *,
    is_masked: bool,
) -> Any:  # noqa: ANN401 (transformers)
    """Return what the network gives for segments that share a batch."""
    device = network.device
    batch = {key: value.to(device) for key, value in stacked(inputs, is_masked=is_masked).items()}
    with torch.inference_mode(), warnings.catch_warnings():
        # WavLM: its masks are of two types, which torch announces to refuse one day.
        warnings.filterwarnings("ignore", message="Support for mismatched key_padding_mask")
        return network(**batch)


def stacked(inputs: Sequence[Inputs], *, is_masked: bool) -> dict[str, torch.Tensor]:
    """Stack ``(S,)`` to ``(B, S)``, with zeros at the end and a mask where lengths may differ.

    Without ``is_masked`` all shapes are equal, and a mask that the checkpoint's preprocessing made
    says nothing: it is left out.
    """
    names = [name for name in inputs[0] if name != "attention_mask"]
    if not is_masked:
        return {
            name: torch.from_numpy(np.stack([entry[name] for entry in inputs])) for name in names
        }
    waves = [entry[names[0]] for entry in inputs]
    longest = max(wave.size for wave in waves)
    padded = torch.zeros((len(waves), longest), dtype=torch.float32)  # (B, S)
    mask = torch.zeros((len(waves), longest), dtype=torch.long)  # (B, S)
    for row, wave in enumerate(waves):
        padded[row, : wave.size] = torch.from_numpy(wave)
        mask[row, : wave.size] = 1
    return {names[0]: padded, "attention_mask": mask}
