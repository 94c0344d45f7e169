"""A pretrained audio model, frozen. Axes: B batch, S samples, T frames, F feature."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from transformers import AutoFeatureExtractor

from mmray.core.spec import FeatureSpec
from mmray.errors import ConfigError
from mmray.features.audio.batch import Inputs, batches, run_network
from mmray.features.audio.checkpoint.family import Family
from mmray.features.audio.join import extract_joined
from mmray.features.checkpoints.checkpoint import NO_CODE, check_complete
from mmray.features.checkpoints.loading import loading, read_weights
from mmray.features.extractor import Feature
from mmray.media.audio.segment import AudioClip

Pooling = Literal["mean", "sequence", "pooled"]
Samples = npt.NDArray[np.float32]

MASK = "masked_spec"
"""In the name of a vector with which wav2vec 2 masks while it is trained: it is not used here."""
_NEEDS = "config.json, weights and preprocessor_config.json"
_WHISPER_STRIDE = 320


class HFAudioExtractor:
    """Hidden states of every segment, averaged or as they are, or the model's pooled output.

    Padding never reaches a feature, except with AST and CLAP, whose input has one length: segments
    share a batch if they have one length or the model has a padding mask; of Whisper's 30 s only
    the clip's own frames are kept. A waveform too short for one frame is padded with silence.
    """

    def __init__(
        self,
        spec: FeatureSpec,
        decode: Callable[[bytes], AudioClip],
        family: Family,
        model: str,
        *,
        pooling: Pooling,
        batch_size: int,
    ) -> None:
        self.spec = spec
        self.decode = decode
        self._family = family
        self._pooling: Pooling = pooling
        self._batch_size = batch_size
        self._front = load_front(model, family)
        self._network = _load_network(model, pooling)
        width = self.extract([AudioClip((np.zeros(family.rate_hz // 4, np.float32),))])[0].shape[-1]
        if width != spec.shape[-1]:
            raise ConfigError(
                f"checkpoint {model!r} gives features of {width}, not {spec.shape[-1]}",
                hint=f"set extract.dim to {width}",
            )

    def extract(self, decoded: Sequence[AudioClip]) -> list[Feature]:
        """Return ``(F,)``, or ``(T, F)`` when hidden states or segments are kept, per clip."""
        return extract_joined(self._extract, decoded, self.spec)

    def _extract(self, segments: Sequence[Samples]) -> list[Feature]:
        inputs = [self._front(segment) for segment in segments]
        features: dict[int, Feature] = {}
        for rows in batches(inputs, self._batch_size, is_mixed=self._family.is_masked):
            outputs = self._run([inputs[row] for row in rows])
            for row, output in zip(rows, outputs, strict=True):
                features[row] = self._pooled(output, segments[row].size)
        return [features[row] for row in range(len(segments))]

    def _run(self, inputs: Sequence[Inputs]) -> Iterator[Feature]:
        """Yield per segment ``(F,)`` when pooled by the model, else hidden states ``(T, F)``."""
        output = run_network(self._network, inputs, is_masked=self._family.is_masked)
        if self._pooling == "pooled":
            pooled = getattr(output, "pooler_output", None)
            if pooled is None:
                raise ConfigError(
                    f"a {self._network.config.model_type} has no pooled output",
                    hint="set extract.pooling to mean or sequence",
                )
            yield from pooled.flatten(1).float().cpu().numpy()  # B of (F,)
            return
        hidden = output.last_hidden_state.float()
        if hidden.ndim == 4:  # CLAP: (B, F, bands, T)
            hidden = hidden.mean(dim=2).transpose(1, 2)
        yield from hidden.cpu().numpy()  # B of (T, F)

    def _pooled(self, output: Feature, samples: int) -> Feature:
        if self._pooling == "pooled":
            return output.copy()
        kept = output[: self._frames(samples, len(output))]
        return kept.mean(axis=0) if self._pooling == "mean" else kept.copy()

    def _frames(self, samples: int, limit: int) -> int:
        """Return how many hidden states belong to the segment itself, not to padding."""
        match self._family.name:
            case "waveform" if self._family.is_masked:
                return max(1, self._family.frames_of(samples))
            case "whisper":
                return min(limit, max(1, -(-samples // _WHISPER_STRIDE)))
            case _:
                return limit


def load_front(model: str, family: Family) -> Callable[[Samples], Inputs]:
    """Return the checkpoint's own feature extractor, for one segment at a time.

    One at a time, what it does to a segment cannot depend on the others.
    """
    with loading(model, needs=_NEEDS):
        front: Any = AutoFeatureExtractor.from_pretrained(model, **NO_CODE)
    options: dict[str, Any] = {"sampling_rate": family.rate_hz, "return_tensors": "np"}

    def prepare(segment: Samples) -> Inputs:
        padded = np.pad(segment, (0, max(0, family.shortest - segment.size)))
        found = front(padded, **options)
        return {key: np.asarray(value)[0] for key, value in found.items()}

    return prepare


def _load_network(model: str, pooling: Pooling) -> Any:  # noqa: ANN401 (transformers)
    with loading(model, needs=_NEEDS):
        loaded, found = read_weights(model)
    has_pooler = check_complete(model, found, unused=MASK)
    if pooling == "pooled" and not has_pooler:
        raise ConfigError(
            f"the pooled output of checkpoint {model!r} was never trained",
            hint="set extract.pooling to mean or sequence",
        )
    network: Any = getattr(loaded, "audio_model", loaded)  # the audio half of CLAP
    if network.config.is_encoder_decoder:
        network = network.get_encoder()
    network.to("cuda" if torch.cuda.is_available() else "cpu")
    return network.eval().requires_grad_(False)
