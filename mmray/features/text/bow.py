"""Bags of words. Axes: F the declared number of columns."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from mmray.config.modality.text import BowConfig, TextConfig
from mmray.core.file.atomic import write_json
from mmray.core.kind import Kind
from mmray.core.spec import FeatureSpec
from mmray.features.extractor import Extractor, Feature
from mmray.features.kind import ExtractorKind, Fitting, TrainSplit
from mmray.features.state import fitted_file
from mmray.features.text.cleaning import text_decoder, train_texts
from mmray.features.text.fitted import read_words
from mmray.features.text.hashing import hashed_columns
from mmray.media.text.word import find_words

VOCABULARY_FILE = "vocabulary.json"
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


def indices_of(words: Sequence[str]) -> dict[str, int]:
    """Return the column of each word of a vocabulary."""
    return {word: index for index, word in enumerate(words)}


def _spec(config: TextConfig, extract: BowConfig) -> FeatureSpec:
    return FeatureSpec(Kind.TEXT, "vector", (extract.vocabulary,), "float32")


def _build(config: TextConfig, extract: BowConfig, state: Path | None) -> Extractor:
    size = extract.vocabulary
    columns = (
        hashed_columns(size)
        if extract.hashing
        else indices_of(read_words(fitted_file(state, VOCABULARY_FILE), size))
    )
    return BowExtractor(_spec(config, extract), columns, text_decoder(config))


def _fit(config: TextConfig, extract: BowConfig, train: TrainSplit, folder: Path) -> None:
    found_in, _ = count_texts(train_texts(config, train.payloads), str)
    write_json(folder / VOCABULARY_FILE, choose_words(found_in, extract.vocabulary))


BOW = ExtractorKind(
    config=BowConfig,
    version=3,
    spec=_spec,
    build=_build,
    fitting=Fitting(needed=lambda extract: not extract.hashing, run=_fit, file=VOCABULARY_FILE),
)
