"""A pretrained vision network, frozen: from pictures to features.

Axes: B batch, T patches or cells, H height, W width, F feature.
"""

from collections.abc import Generator, Sequence
from contextlib import nullcontext
from typing import Any, Literal

import numpy as np
import torch

from mmray.errors import ConfigError
from mmray.features.extractor import Feature
from mmray.features.image.load import load_network, load_preprocess
from mmray.features.image.preprocess import Pixels

Pooling = Literal["pooled", "cls", "mean", "sequence"]
Precision = Literal["float32", "bfloat16"]
_CLASS_TOKENS = ("cls_token", "class_embedding", "class_token")
_RUN_ERRORS = (ValueError, TypeError, RuntimeError, AttributeError)


class VisionNetwork:
    """One checkpoint with its preprocessing, on the GPU when there is one.

    ``extract`` takes what ``preprocess.resize`` gives, so one photograph, a batch of them, or the
    frames of a clip.
    """

    def __init__(
        self, model: str, *, pooling: Pooling, batch_size: int, precision: Precision = "float32"
    ) -> None:
        self.preprocess = load_preprocess(model)
        self._network, self._has_pooler = load_network(model)
        self._pooling: Pooling = pooling
        self._batch_size = batch_size
        self._precision: Precision = precision
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._network.to(self._device)
        self._layout = (
            torch.channels_last if self._device.type == "cpu" else torch.contiguous_format
        )
        """On a CPU, convolutions over values that lie pixel by pixel take a fifth less time."""
        for weight in self._network.parameters():
            if weight.ndim == 4:
                weight.data = weight.data.contiguous(memory_format=self._layout)
        self._prefix = prefix_tokens(self._network)
        self.shape = self._probe(model)
        """Shape of one feature: ``(F,)``, or ``(T, F)`` for a sequence."""

    def extract(self, pictures: Sequence[Pixels]) -> list[Feature]:
        """Return ``(F,)`` or ``(T, F)`` float32 for each ``(H, W, 3)`` uint8, in order."""
        features: list[Feature | None] = [None] * len(pictures)
        for rows in _rows_of_one_shape([picture.shape for picture in pictures], self._batch_size):
            values = self.preprocess.normalise(np.stack([pictures[row] for row in rows]))
            for row, feature in zip(rows, self._run(torch.from_numpy(values)), strict=True):
                features[row] = feature
        return [feature for feature in features if feature is not None]

    @torch.inference_mode()
    def _run(self, values: torch.Tensor) -> Feature:
        """Return ``(B, F)`` or ``(B, T, F)`` of ``(B, 3, H, W)``."""
        with self._exactness():
            values = values.to(self._device, memory_format=self._layout)
            output = self._network(pixel_values=values)
            return self._pool(output).float().cpu().numpy()

    def _exactness(self) -> Any:  # noqa: ANN401 (one of two context managers)
        """Keep a GPU from rounding float32 to TF32, unless a lower precision was asked for."""
        if self._device.type == "cpu":
            return nullcontext()
        if self._precision == "bfloat16":
            return torch.autocast("cuda", dtype=torch.bfloat16)
        return torch.backends.cudnn.flags(allow_tf32=False)

    def _pool(self, output: Any) -> torch.Tensor:  # noqa: ANN401
        maps = getattr(output, "feature_maps", None)
        hidden: torch.Tensor = maps[-1] if maps else output.last_hidden_state
        prefix = self._prefix
        if hidden.ndim == 4:
            hidden = hidden.flatten(2).transpose(1, 2)  # (B, T, F): a map's cells, row by row
            prefix = 0
        cells = hidden[:, prefix:]  # (B, T, F)
        match self._pooling:
            case "sequence":
                return cells
            case "mean":
                return cells.mean(dim=1)  # (B, F)
            case "cls":
                return hidden[:, 0]  # (B, F)
            case "pooled":
                pooled = getattr(output, "pooler_output", None)
                if pooled is not None and self._has_pooler:
                    return pooled.flatten(1)  # (B, F)
                return hidden[:, 0] if prefix else cells.mean(dim=1)  # (B, F)

    def _probe(self, model: str) -> tuple[int, ...]:
        """Return the shape of a feature; what cannot give one, or not the same, is refused."""
        if self._pooling == "cls" and not self._prefix:
            raise ConfigError(
                f"checkpoint {model!r} has no class token", hint="set extract.pooling to pooled"
            )
        if self._pooling == "sequence" and self.preprocess.output is None:
            raise ConfigError(
                f"checkpoint {model!r} takes pictures of any size: a sequence has no fixed length",
                hint="set extract.pooling to mean",
            )
        height, width = self.preprocess.output or (224, 224)
        picture = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
        try:
            first, again = (self.extract([picture])[0] for _ in range(2))
        except _RUN_ERRORS as error:
            raise ConfigError(
                f"checkpoint {model!r} cannot take a picture of {width} x {height}: "
                f"{str(error).splitlines()[0]}",
                hint="its preprocessor_config.json and its network may not belong together",
            ) from error
        if not np.array_equal(first, again):
            raise ConfigError(
                f"checkpoint {model!r} gives the same picture other features each time",
                hint="a network that masks at random is not an extractor: use its plain encoder",
            )
        return first.shape


def prefix_tokens(network: Any) -> int:  # noqa: ANN401
    """Return how many tokens stand before those of the patches."""
    names = {name.rsplit(".", 1)[-1] for name, _ in network.named_parameters()}
    if not names & set(_CLASS_TOKENS):
        return 0
    registers = getattr(network.config, "num_register_tokens", 0) or 0
    return 1 + registers + ("distillation_token" in names)


def _rows_of_one_shape(shapes: Sequence[tuple[int, ...]], batch_size: int) -> Generator[list[int]]:
    """Group rows of equal shape, at most ``batch_size`` at a time."""
    rows: dict[tuple[int, ...], list[int]] = {}
    for row, shape in enumerate(shapes):
        rows.setdefault(shape, []).append(row)
    for alike in rows.values():
        for start in range(0, len(alike), batch_size):
            yield alike[start : start + batch_size]
