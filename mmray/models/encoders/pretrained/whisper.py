"""Whisper's encoder over a waveform. Axes: B batch, S samples, T frames, M mel bands, F hidden."""

from collections.abc import Mapping
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F
from transformers import WhisperFeatureExtractor

from mmray.models.encoders.encoded import Encoded, at_least_one, length_mask
from mmray.models.encoders.pretrained.pooling import pool_steps

FRONT = ("feature_size", "sampling_rate", "hop_length", "chunk_length", "n_fft")
"""The settings of the checkpoint's preprocessing that its spectrogram depends on."""
_STRIDE = 2
"""Frames of the spectrogram per hidden state."""
_QUIETEST = 1e-10


class WhisperReader:
    """Runs the encoder over clips, silence after each up to the length that it was trained on."""

    def __init__(self, front: Mapping[str, Any], pooling: Literal["mean", "max"]) -> None:
        told: Any = WhisperFeatureExtractor(**front)
        self._samples, self._hop, self._fft = told.n_samples, told.hop_length, told.n_fft
        self._filters = torch.tensor(told.mel_filters, dtype=torch.float32).T  # (M, bins)
        self._window = torch.hann_window(self._fft)
        self._pooling: Literal["mean", "max"] = pooling

    def __call__(self, network: Any, values: Tensor, lengths: Tensor | None) -> Encoded:  # noqa: ANN401
        """Return the hidden states (B, T, F) and the pooled one (B, F) of (B, S, 1)."""
        lengths = at_least_one(values, lengths)
        waves = values.squeeze(-1).float() * length_mask(lengths, values.shape[1])
        waves = F.pad(waves, (0, self._samples - waves.shape[1]))
        hidden: Tensor = network(self._spectrogram(waves)).last_hidden_state
        per_state = _STRIDE * self._hop
        frames = (lengths + per_state - 1) // per_state  # at least one
        longest = int(frames.max())
        mask = length_mask(frames, longest)
        hidden = hidden[:, :longest]
        return Encoded(hidden, mask, pool_steps(hidden, mask, self._pooling))

    def _spectrogram(self, waves: Float[Tensor, "B S"]) -> Float[Tensor, "B M _"]:
        """Return the logarithm of the mel spectrogram, scaled as in training."""
        self._filters = self._filters.to(waves.device)
        self._window = self._window.to(waves.device)
        with torch.autocast(waves.device.type, enabled=False):
            waves_in_time = torch.stft(
                waves, self._fft, self._hop, window=self._window, return_complex=True
            )
            power = waves_in_time[..., :-1].abs().square()  # (B, bins, 2 T)
            bands = (self._filters @ power).clamp(min=_QUIETEST).log10()  # (B, M, 2 T)
        loudest = bands.amax(dim=(1, 2), keepdim=True)
        return (torch.maximum(bands, loudest - 8.0) + 4.0) / 4.0
