"""Pretrained word vectors. Axes: T known words, F numbers per word."""

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np

from mmray.core.spec import FeatureSpec
from mmray.features.extractor import Feature
from mmray.features.text.vector_file import Vectors
from mmray.media.text.word import find_words


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
