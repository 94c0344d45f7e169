"""Bag of words. Axes: F the declared size of the vocabulary."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from mmray.core.spec import FeatureSpec
from mmray.features.extractor import Feature

_WORD = re.compile(r"\w+")


class BowExtractor:
    """``log(1 + count)`` of every word of the vocabulary, scaled to length one.

    Columns beyond the end of a small vocabulary stay zero; so does a text of unknown words.
    """

    def __init__(
        self, spec: FeatureSpec, vocabulary: Sequence[str], decode: Callable[[bytes], str]
    ) -> None:
        self.spec = spec
        self._columns = {word: column for column, word in enumerate(vocabulary)}
        self._decode = decode

    def decode(self, payload: bytes) -> str:
        """Return the clean text."""
        return self._decode(payload)

    def extract(self, decoded: Sequence[str]) -> list[Feature]:
        """Return one ``(F,)`` float32 vector per text."""
        return [self._counted(text) for text in decoded]

    def _counted(self, text: str) -> Feature:
        feature = np.zeros(self.spec.shape, dtype=np.float32)  # (F,)
        for word, count in Counter(_WORD.findall(text)).items():
            column = self._columns.get(word)
            if column is not None:
                feature[column] = np.log1p(count)
        return feature / max(float(np.linalg.norm(feature)), 1e-12)


def fit_vocabulary(texts: Iterable[str], size: int) -> list[str]:
    """Return the words that most texts have; equal ones in alphabetical order."""
    found_in = Counter[str]()
    for text in texts:
        found_in.update(set(_WORD.findall(text)))
    return sorted(found_in, key=lambda word: (-found_in[word], word))[:size]
