"""Speech recognition by Whisper, or by any checkpoint with a CTC head. Axes: B batch, T steps."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from transformers import AutoModelForCTC, AutoModelForSpeechSeq2Seq, AutoTokenizer

from mmray.errors import ConfigError
from mmray.features.audio.batch import Inputs, batches, run_network, stacked
from mmray.features.audio.checkpoint.family import read_family
from mmray.features.audio.checkpoint.hf_audio import MASK, load_front
from mmray.features.checkpoints.checkpoint import NO_CODE, check_complete, quiet_loading
from mmray.features.checkpoints.loading import loading, read_weights

Samples = npt.NDArray[np.float32]


class Transcriber:
    """Recognises what is said in segments, without chance: no sampling, no fallback."""

    def __init__(
        self, model: str, *, language: str | None, max_new_tokens: int, beams: int, batch_size: int
    ) -> None:
        self._family = read_family(model)
        self._front = load_front(model, self._family)
        self._is_whisper = self._family.name == "whisper"
        self._batch_size = batch_size
        self._tokenizer, self._network = load_recogniser(model, is_whisper=self._is_whisper)
        if self._is_whisper:  # the checkpoint's own limit of length would be in the way of ours
            self._network.generation_config.max_length = None
        self._generation: dict[str, Any] = {"max_new_tokens": max_new_tokens, "num_beams": beams}
        if language is not None:
            self._generation["language"] = _checked_language(self._network, language, model)

    def __call__(self, segments: Sequence[Samples]) -> list[str]:
        """Return the text of each segment, empty where nothing is recognised."""
        inputs = [self._front(segment) for segment in segments]
        texts: dict[int, str] = {}
        for rows in batches(inputs, self._batch_size, is_mixed=self._family.is_masked):
            batch = [inputs[row] for row in rows]
            sizes = [max(segments[row].size, self._family.shortest) for row in rows]
            found = self._generated(batch) if self._is_whisper else self._read(batch, sizes)
            texts.update(zip(rows, found, strict=True))
        return [texts[row].strip() for row in range(len(segments))]

    @torch.inference_mode()
    def _generated(self, inputs: Sequence[Inputs]) -> list[str]:
        batch = stacked(inputs, is_masked=False)
        # The mask covers the silence after a short segment too, as in its training.
        features = batch["input_features"].to(self._network.device)  # (B, mels, frames)
        mask = torch.ones_like(features[:, 0], dtype=torch.long)  # (B, frames)
        ids = self._network.generate(features, attention_mask=mask, **self._generation)
        return self._tokenizer.batch_decode(ids, skip_special_tokens=True)

    def _read(self, inputs: Sequence[Inputs], sizes: Sequence[int]) -> list[str]:
        output = run_network(self._network, inputs, is_masked=self._family.is_masked)
        ids = output.logits.argmax(dim=-1).cpu().numpy()  # (B, T)
        lengths = [ids.shape[1]] * len(ids)
        if self._family.is_masked:
            lengths = [self._family.frames_of(size) for size in sizes]
        return [
            self._tokenizer.decode(row[:length], skip_special_tokens=False)
            for row, length in zip(ids, lengths, strict=True)
        ]


def load_recogniser(model: str, *, is_whisper: bool) -> tuple[Any, Any]:
    """Return the tokenizer and the network, frozen; what cannot be loaded is a ConfigError."""
    loader = AutoModelForSpeechSeq2Seq if is_whisper else AutoModelForCTC
    needs = "weights of Whisper or of a CTC head, a tokenizer and preprocessor_config.json"
    with loading(model, needs=needs, use=" to recognise speech"):
        tokenizer: Any = AutoTokenizer.from_pretrained(model, **NO_CODE)
        network, found = read_weights(model, loader)
    check_complete(model, found, unused=MASK)
    network.to("cuda" if torch.cuda.is_available() else "cpu")
    return tokenizer, network.eval().requires_grad_(False)


def save_recogniser(model: str, folder: Path) -> None:
    """Write the weights, head included, as safetensors."""
    _, network = load_recogniser(model, is_whisper=read_family(model).name == "whisper")
    with quiet_loading():
        network.save_pretrained(str(folder))


def _checked_language(network: Any, language: str, model: str) -> str:  # noqa: ANN401 (transformers)
    known = getattr(getattr(network, "generation_config", None), "lang_to_id", {})
    if f"<|{language}|>" not in known:
        codes = ", ".join(sorted(code.strip("<|>") for code in known)) or "none"
        raise ConfigError(
            f"checkpoint {model!r} has no setting for the language {language!r}",
            hint=f"set extract.language to one of: {codes}; or leave it out",
        )
    return language
