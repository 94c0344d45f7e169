"""Pretrained word vectors. Axes: T known words, F numbers per word."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from mmray.config.modality.text import TextConfig, WordVectorsConfig
from mmray.core.fingerprint import digest_file
from mmray.core.kind import Kind
from mmray.core.spec import FeatureSpec
from mmray.features.extractor import Extractor, Feature
from mmray.features.kind import ExtractorKind
from mmray.features.text.cleaning import text_decoder
from mmray.features.text.vector_file import (
    Vectors,
    read_vector_header,
    read_vectors,
    write_vectors,
)
from mmray.media.text.word import find_words

VECTORS_FILE = "vectors.bin"
"""The file of a modality's word vectors in a bundle."""


class WordVectorsExtractor:
    """The vectors of the known words in order, or their mean; unknown words are left out.

    A text without a known word is zeros, as a sequence one step of zeros.
    """

    def __init__(
        self,
        spec: FeatureSpec,
        words: Sequence[str],
        vectors: Vectors,
        decode: Callable[[bytes], str],
        *,
        pooling: Literal["mean", "sequence"],
    ) -> None:
        self.spec = spec
        self.decode = decode
        self._rows = {word: row for row, word in enumerate(words)}
        self._vectors = vectors  # (N, F)
        self._pooling = pooling

    def extract(self, decoded: Sequence[str]) -> list[Feature]:
        """Return ``(F,)`` or ``(T, F)`` float32 per text."""
        return [self._looked_up(text) for text in decoded]

    def _looked_up(self, text: str) -> Feature:
        rows = [self._rows[word] for word in find_words(text) if word in self._rows]
        if not rows:
            shape = self.spec.shape if self._pooling == "mean" else (1, self.spec.shape[1])
            return np.zeros(shape, dtype=np.float32)
        if self._pooling == "sequence":
            return self._vectors[rows[: self.spec.shape[0]]]  # (T, F)
        return self._vectors[rows].mean(axis=0, dtype=np.float64).astype(np.float32)  # (F,)


def _path(extract: WordVectorsConfig) -> Path:
    return Path(extract.path).expanduser()


def _spec(config: TextConfig, extract: WordVectorsConfig) -> FeatureSpec:
    width = read_vector_header(_path(extract)).dim
    if extract.pooling == "sequence":
        return FeatureSpec(Kind.TEXT, "sequence", (extract.max_tokens, width), "float32")
    return FeatureSpec(Kind.TEXT, "vector", (width,), "float32")


def _build(config: TextConfig, extract: WordVectorsConfig, state: Path | None) -> Extractor:
    words, vectors = read_vectors(_path(extract), extract.limit)
    return WordVectorsExtractor(
        _spec(config, extract), words, vectors, text_decoder(config), pooling=extract.pooling
    )


def _identity(config: TextConfig, extract: WordVectorsConfig, state: object) -> dict[str, Any]:
    return {"vectors": digest_file(_path(extract))}


def _export(config: TextConfig, extract: WordVectorsConfig, state: object, folder: Path) -> None:
    write_vectors(folder / VECTORS_FILE, *read_vectors(_path(extract), extract.limit))


def _relocated(extract: WordVectorsConfig, state: Path) -> WordVectorsConfig:
    exported = state / VECTORS_FILE
    return extract.model_copy(update={"path": str(exported)}) if exported.is_file() else extract


WORD_VECTORS = ExtractorKind(
    config=WordVectorsConfig,
    version=2,
    spec=_spec,
    build=_build,
    identity=_identity,
    export=_export,
    exported=lambda extract: (VECTORS_FILE,),
    relocated=_relocated,
)
