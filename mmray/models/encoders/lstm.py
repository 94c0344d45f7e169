"""The LSTM encoder. Axes: B batch, T time, F feature, D width."""

from typing import Literal

import torch
from jaxtyping import Bool, Float, Shaped
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from mmray.models.encoders.encoded import Encoded, at_least_one, length_mask, masked_mean

Pooling = Literal["last", "mean", "max"]


class LstmEncoder(nn.Module):
    """A recurrent network that stops at each sample's own length.

    ``stem`` makes (B, T, F) of the values; ``lstm`` must have ``batch_first``.
    """

    def __init__(
        self,
        stem: nn.Module,
        lstm: nn.LSTM,
        width: int,
        *,
        pooling: Pooling = "last",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.stem = stem
        self.lstm = lstm
        self.pooling: Pooling = pooling
        self.dropout = nn.Dropout(dropout)
        self.project = nn.Linear(lstm.hidden_size * (2 if lstm.bidirectional else 1), width)

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
            states, (last, _) = self.lstm(inputs)
            return states, last
        packed = pack_padded_sequence(inputs, on_cpu, batch_first=True, enforce_sorted=False)
        packed_states, (last, _) = self.lstm(packed)
        states, _ = pad_packed_sequence(packed_states, batch_first=True, total_length=steps)
        return states, last

    def _pool(
        self, states: Float[Tensor, "B T F"], mask: Bool[Tensor, "B T"], last: Tensor
    ) -> Float[Tensor, "B F"]:
        match self.pooling:
            case "last":
                return torch.cat(list(last[-2:] if self.lstm.bidirectional else last[-1:]), dim=-1)
            case "mean":
                return masked_mean(states, mask)
            case "max":
                lowest = torch.finfo(states.dtype).min
                return states.masked_fill(~mask[..., None], lowest).amax(dim=1)
