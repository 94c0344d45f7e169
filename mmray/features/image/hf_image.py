"""A pretrained vision model, frozen. Axes: B batch, T tokens, H height, W width, F feature."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from transformers import AutoImageProcessor, AutoModel

from mmray.core.spec import FeatureSpec
from mmray.errors import ConfigError
from mmray.features.checkpoint import check_complete, quiet_loading
from mmray.features.extractor import Feature
from mmray.features.image.preprocess import SETTINGS, Preprocess, read_preprocess


class HFImageExtractor:
    """The pooled output of a vision checkpoint, ``(F,)``."""

    def __init__(
        self,
        spec: FeatureSpec,
        model: str,
        open_image: Callable[[bytes], Image.Image],
        *,
        batch_size: int,
    ) -> None:
        self.spec = spec
        self._open_image = open_image
        self._batch_size = batch_size
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        with quiet_loading():
            self._preprocess = _load_preprocess(model)
            self._network, self._has_pooler = _load_network(model)
        self._network.to(self._device)
        width = self.extract([self._preprocess.resize(Image.new("RGB", (64, 64)))])[0].shape[-1]
        if (width,) != spec.shape:
            raise ConfigError(
                f"checkpoint {model!r} gives features of {width}, not {spec.shape[0]}",
                hint=f"set extract.dim to {width}",
            )

    @property
    def preprocess(self) -> Preprocess:
        """What the checkpoint expects of a picture."""
        return self._preprocess

    def decode(self, payload: bytes) -> npt.NDArray[np.uint8]:
        """Return the picture as the checkpoint wants it, ``(H, W, 3)`` uint8."""
        return self._preprocess.resize(self._open_image(payload))

    def extract(self, decoded: Sequence[npt.NDArray[np.uint8]]) -> list[Feature]:
        """Return one ``(F,)`` float32 vector per picture."""
        features: list[Feature] = []
        for start in range(0, len(decoded), self._batch_size):
            pictures = decoded[start : start + self._batch_size]
            values = np.stack([self._preprocess.normalise(pixels) for pixels in pictures])
            features.extend(self._run(torch.from_numpy(values)))  # (B, 3, H, W)
        return features

    @torch.inference_mode()
    def _run(self, pictures: torch.Tensor) -> list[Feature]:
        output = self._network(pixel_values=pictures.to(self._device))
        pooled = getattr(output, "pooler_output", None)
        if pooled is None or not self._has_pooler:
            pooled = _pool(output.last_hidden_state)
        return list(pooled.flatten(1).float().cpu().numpy())  # B of (F,)


def _pool(hidden: torch.Tensor) -> torch.Tensor:
    """Average a map ``(B, F, H, W)``, or take the first token of ``(B, T, F)``."""
    return hidden.mean(dim=(2, 3)) if hidden.ndim == 4 else hidden[:, 0]  # (B, F)


def _load_network(model: str) -> tuple[Any, bool]:
    try:
        loaded, loading = AutoModel.from_pretrained(
            model, dtype=torch.float32, output_loading_info=True
        )
    except (OSError, ValueError, ImportError) as error:
        raise _unloadable(model, error) from error
    # Without trained weights the pooler is random: the first token is used in its place.
    has_pooler = check_complete(model, loading)
    network: Any = getattr(loaded, "vision_model", loaded)  # the image half of CLIP and the like
    return network.eval().requires_grad_(False), has_pooler


def _load_preprocess(model: str) -> Preprocess:
    try:
        processor: Any = AutoImageProcessor.from_pretrained(model, backend="pil")
    except (OSError, ValueError, ImportError) as error:
        raise _unloadable(model, error) from error
    settings = {key: getattr(processor, key, None) for key in SETTINGS}
    preprocess = read_preprocess(settings, model)
    _check_agreement(preprocess, processor, model)
    return preprocess


def _check_agreement(preprocess: Preprocess, processor: Any, model: str) -> None:  # noqa: ANN401
    """Refuse a checkpoint whose processor does something that ours does not."""
    noise = np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    picture = Image.fromarray(noise)
    expected = np.asarray(processor(picture, return_tensors="np")["pixel_values"][0])
    ours = preprocess.normalise(preprocess.resize(picture))
    if expected.shape != ours.shape or np.abs(expected - ours).max() > 1e-3:
        raise ConfigError(
            f"the preprocessing of checkpoint {model!r} ({type(processor).__name__}) is unknown",
            hint="use {kind: custom, factory: ...} for this checkpoint",
        )


def _unloadable(model: str, error: Exception) -> ConfigError:
    return ConfigError(
        f"cannot load checkpoint {model!r}: {str(error).splitlines()[0]}",
        hint="it needs config.json, weights and preprocessor_config.json",
    )
