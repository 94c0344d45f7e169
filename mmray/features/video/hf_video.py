"""A pretrained video model, frozen. Axes: B clips, T frames, H W frame, L tokens, F feature."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from mmray.core.spec import FeatureSpec
from mmray.features.checkpoints.checkpoint import check_complete
from mmray.features.checkpoints.loading import loading, read_weights
from mmray.features.extractor import Feature
from mmray.features.image.preprocess import Preprocess
from mmray.media.video.sampling import spread

WITH_FIRST = ("timesformer", "vivit")
"""Families with a token for the complete clip."""
Pixels = npt.NDArray[np.uint8]


class HFVideoExtractor:
    """One vector per clip, ``(F,)``: the first token, or the mean where there is no such token."""

    def __init__(
        self,
        spec: FeatureSpec,
        model: str,
        preprocess: Preprocess,
        decode: Callable[[bytes], Pixels],
        *,
        frames: int,
        batch_size: int,
    ) -> None:
        self.spec = spec
        self.decode = decode
        self._preprocess = preprocess
        self._batch_size = batch_size
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._network: Any = _load_network(model).to(self._device)
        self._frames = frames
        self._family: str = self._network.config.model_type

    def extract(self, decoded: Sequence[Pixels]) -> list[Feature]:
        """Return one ``(F,)`` float32 vector per clip of ``(T, H, W, 3)``."""
        features: list[Feature] = []
        for start in range(0, len(decoded), self._batch_size):
            clips = decoded[start : start + self._batch_size]
            values = np.stack([self._prepare(clip) for clip in clips])
            features.extend(self._run(torch.from_numpy(values)))  # (B, T, 3, H, W)
        return features

    def _prepare(self, clip: Pixels) -> npt.NDArray[np.float32]:
        """Return ``(T, 3, H, W)``; the frames of a clip with too few are shown longer."""
        return np.stack(
            [self._preprocess.normalise(clip[index]) for index in spread(len(clip), self._frames)]
        )

    @torch.inference_mode()
    def _run(self, clips: torch.Tensor) -> list[Feature]:
        hidden = self._hidden(clips.to(self._device))  # (B, L, F)
        pooled = hidden[:, 0] if self._family in WITH_FIRST else hidden.mean(dim=1)  # (B, F)
        return list(pooled.float().cpu().numpy())

    def _hidden(self, clips: torch.Tensor) -> torch.Tensor:
        if self._family == "vjepa2":
            output = self._network(pixel_values_videos=clips, skip_predictor=True)
        else:
            output = self._network(pixel_values=clips)
        return output.last_hidden_state


def _load_network(model: str) -> Any:  # noqa: ANN401
    with loading(model, needs="config.json, weights and preprocessor_config.json"):
        network, found = read_weights(model)
    check_complete(model, found)
    return network.eval().requires_grad_(False)
