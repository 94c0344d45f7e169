"""YAMNet, in the layout of transformers' MobileNetV1 with one input channel.

Axes: B batch, S samples, T frames, N patches, F feature.
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import librosa
import numpy as np
import numpy.typing as npt
import scipy.fft
import torch

from mmray.core.spec import FeatureSpec
from mmray.features.audio.checkpoint.yamnet_plan import HOP, PATCH, PATCH_HOP, SHORTEST
from mmray.features.audio.join import extract_joined
from mmray.features.checkpoints.checkpoint import check_complete
from mmray.features.checkpoints.loading import loading, read_weights
from mmray.features.extractor import Feature
from mmray.media.audio.segment import AudioClip

Samples = npt.NDArray[np.float32]

_RATE_HZ, _WINDOW, _FFT, _MELS = 16_000, 400, 512, 64
_FLOOR = 1e-3


class YamnetExtractor:
    """The pooled output of every patch of 0.96 s, 0.48 s apart: their mean, or all of them."""

    def __init__(
        self,
        spec: FeatureSpec,
        decode: Callable[[bytes], AudioClip],
        model: str,
        *,
        pooling: Literal["mean", "sequence", "pooled"],
        batch_size: int,
    ) -> None:
        self.spec = spec
        self.decode = decode
        self._is_sequence = pooling == "sequence"
        self._batch_size = batch_size
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._network = _load_network(model).to(self._device)
        self._spectrum = PatchSpectrum()

    def extract(self, decoded: Sequence[AudioClip]) -> list[Feature]:
        """Return ``(F,)``, or ``(N, F)`` when patches or segments are kept, per clip."""
        return extract_joined(self._extract, decoded, self.spec)

    def _extract(self, segments: Sequence[Samples]) -> list[Feature]:
        patches = [self._spectrum(segment) for segment in segments]
        flat = np.concatenate(patches)
        outputs = np.concatenate(
            [
                self._run(flat[start : start + self._batch_size])
                for start in range(0, len(flat), self._batch_size)
            ]
        )  # (N of all segments, F)
        ends = np.cumsum([len(found) for found in patches])[:-1]
        found = np.split(outputs, ends)
        return found if self._is_sequence else [steps.mean(axis=0) for steps in found]

    @torch.inference_mode()
    def _run(self, patches: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        pictures = torch.from_numpy(patches[:, None]).to(self._device)  # (B, 1, 96, 64)
        output: Any = self._network(pixel_values=pictures)
        return output.pooler_output.flatten(1).float().cpu().numpy()


class PatchSpectrum:
    """From ``(S,)`` to ``(N, 96, 64)``: logarithm of 64 mel bands (HTK) from 125 to 7500 Hz."""

    def __init__(self) -> None:
        steps = np.arange(_WINDOW) * (2.0 * np.pi / _WINDOW)
        self._window = (0.5 - 0.5 * np.cos(steps)).astype(np.float32)
        filters: Any = librosa.filters.mel(
            sr=_RATE_HZ, n_fft=_FFT, n_mels=_MELS, fmin=125.0, fmax=7500.0, htk=True, norm=None
        )
        self._filters = np.ascontiguousarray(filters.T, dtype=np.float32)

    def __call__(self, samples: Samples) -> npt.NDArray[np.float32]:
        """Return the complete patches of a segment, at least one."""
        padded = np.pad(samples, (0, max(0, SHORTEST - samples.size)))
        frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::HOP]  # (T, window)
        spectrum: Any = scipy.fft.rfft(frames * self._window, n=_FFT, axis=-1)
        mels = np.log(np.abs(spectrum) @ self._filters + _FLOOR)  # (T, mels)
        patches = np.lib.stride_tricks.sliding_window_view(mels, PATCH, axis=0)[::PATCH_HOP]
        return np.ascontiguousarray(patches.transpose(0, 2, 1), dtype=np.float32)


def _load_network(model: str) -> Any:  # noqa: ANN401 (transformers)
    with loading(model, needs="config.json and weights"):
        network, found = read_weights(model)
    check_complete(model, found)
    return network.eval().requires_grad_(False)
