"""Bags of words. Axes: F the declared number of columns."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from mmray.core.spec import FeatureSpec
from mmray.features.extractor import Feature
from mmray.media.text.word import find_words

K = TypeVar("K", str, int)
Columns = Mapping[str, int] | Callable[[str], int]
"""The column of every known word, or of any word."""


class BowExtractor:
    """``log(1 + count)`` of every column's words, or ``count * idf``, scaled to length one.

    Columns beyond the end of a small vocabulary stay zero; so does a text of unknown words.
    """

    def __init__(
        self,
        spec: FeatureSpec,
        columns: Columns,
        decode: Callable[[bytes], str],
        *,
        idf: npt.NDArray[np.float64] | None = None,
    ) -> None:
        self.spec = spec
        self.decode = decode
        self._columns = columns
        self._idf = idf

    def extract(self, decoded: Sequence[str]) -> list[Feature]:
        """Return one ``(F,)`` float32 vector per text."""
        return [self._weighted(text) for text in decoded]

    def _weighted(self, text: str) -> Feature:
        counts = np.zeros(self.spec.shape)  # (F,)
        for column, count in count_columns(find_words(text), self._columns).items():
            counts[column] = count
        weights = np.log1p(counts) if self._idf is None else counts * self._idf  # (F,)
        return (weights / max(float(np.linalg.norm(weights)), 1e-12)).astype(np.float32)


def count_columns(words: Iterable[str], columns: Columns) -> Counter[int]:
    """Count ``words`` by column; a word without a column is not counted."""
    counts = Counter[int]()
    for word, count in Counter(words).items():
        column = columns.get(word) if isinstance(columns, Mapping) else columns(word)
        if column is not None:
            counts[column] += count
    return counts


def count_texts(texts: Iterable[str], columns: Callable[[str], K]) -> tuple[Counter[K], int]:
    """Return in how many texts each column has a word, and the number of texts."""
    found_in = Counter[K]()
    total = 0
    for text in texts:
        found_in.update({columns(word) for word in find_words(text)})
        total += 1
    return found_in, total


def choose_words(found_in: Counter[str], size: int) -> list[str]:
    """Return the words that most texts have; equal ones in alphabetical order."""
    return sorted(found_in, key=lambda word: (-found_in[word], word))[:size]


def smooth_idf(found_in: Sequence[int], texts: int, size: int) -> list[float]:
    """Return ``log((1 + texts) / (1 + found_in)) + 1`` per column, for ``size`` columns."""
    counts = np.zeros(size)  # (F,)
    counts[: len(found_in)] = found_in
    return (np.log((1 + texts) / (1 + counts)) + 1).tolist()
