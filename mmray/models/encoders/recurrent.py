"""The recurrent encoder: LSTM or GRU. Axes: B batch, T time, F feature, D width."""

from typing import Literal

import torch
from jaxtyping import Bool, Float, Shaped
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from mmray.models.encoders.encoded import Encoded, at_least_one, length_mask, masked_mean

Pooling = Literal["last", "mean", "max"]


class RecurrentEncoder(nn.Module):
    """A recurrent network that stops at each sample's own length.

    ``stem`` makes (B, T, F) of the values; ``network`` must have ``batch_first``.
    """

    def __init__(
        self,
        stem: nn.Module,
        network: nn.LSTM | nn.GRU,
        width: int,
        *,
        pooling: Pooling = "last",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.stem = stem
        self.network = network
        self.pooling: Pooling = pooling
        self.dropout = nn.Dropout(dropout)
        self.project = nn.Linear(network.hidden_size * (2 if network.bidirectional else 1), width)

    def forward(self, values: Shaped[Tensor, "B T ..."], lengths: Tensor | None) -> Encoded:
        """Encode a batch of sequences."""
        steps, lengths = values.shape[1], at_least_one(values, lengths)
        states, last = self._run(self.stem(values), lengths)  # (B, T, F), (layers, B, F)
        mask = length_mask(lengths, steps)
        pooled = self._pool(states, mask, last)  # (B, F)
        return Encoded(self.project(self.dropout(states)), mask, self.project(self.dropout(pooled)))

    def _run(self, inputs: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Return all states and the last one of each direction."""
        on_cpu, steps = lengths.cpu(), inputs.shape[1]
        if bool((on_cpu == steps).all()):
            # Nothing is padded: the fused kernel, several times faster than the packed one.
            states, last = self.network(inputs)
            return states, hidden_state(last)
        packed = pack_padded_sequence(inputs, on_cpu, batch_first=True, enforce_sorted=False)
        packed_states, last = self.network(packed)
        states, _ = pad_packed_sequence(packed_states, batch_first=True, total_length=steps)
        return states, hidden_state(last)

    def _pool(
        self, states: Float[Tensor, "B T F"], mask: Bool[Tensor, "B T"], last: Tensor
    ) -> Float[Tensor, "B F"]:
        match self.pooling:
            case "last":
                return torch.cat(
                    list(last[-2:] if self.network.bidirectional else last[-1:]), dim=-1
                )
            case "mean":
                return masked_mean(states, mask)
            case "max":
                lowest = torch.finfo(states.dtype).min
                return states.masked_fill(~mask[..., None], lowest).amax(dim=1)


def hidden_state(last: Tensor | tuple[Tensor, Tensor]) -> Tensor:
    """Return the hidden state (layers, B, F) alone; an LSTM also gives its cell state."""
    return last[0] if isinstance(last, tuple) else last
