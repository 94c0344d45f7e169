"""Bags of words, weighted by how rare a word is in the train split. Axes: F columns."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mmray.config.modality.text import TextConfig, TfidfConfig
from mmray.core.file.atomic import write_json
from mmray.core.kind import Kind
from mmray.core.spec import FeatureSpec
from mmray.features.extractor import Extractor
from mmray.features.kind import ExtractorKind, Fitting, TrainSplit
from mmray.features.state import fitted_file
from mmray.features.text.bow import BowExtractor, choose_words, count_texts, indices_of
from mmray.features.text.cleaning import text_decoder, train_texts
from mmray.features.text.fitted import read_weighted
from mmray.features.text.hashing import hashed_columns

IDF_FILE = "idf.json"


def smooth_idf(found_in: Sequence[int], texts: int, size: int) -> list[float]:
    """Return ``log((1 + texts) / (1 + found_in)) + 1`` per column, for ``size`` columns."""
    counts = np.zeros(size)  # (F,)
    counts[: len(found_in)] = found_in
    return (np.log((1 + texts) / (1 + counts)) + 1).tolist()


def _spec(config: TextConfig, extract: TfidfConfig) -> FeatureSpec:
    return FeatureSpec(Kind.TEXT, "vector", (extract.vocabulary,), "float32")


def _build(config: TextConfig, extract: TfidfConfig, state: Path | None) -> Extractor:
    fitted = read_weighted(fitted_file(state, IDF_FILE), extract.vocabulary)
    hashed = hashed_columns(extract.vocabulary) if extract.hashing else None
    columns = hashed or indices_of(fitted.words)
    idf = np.array(fitted.idf)
    return BowExtractor(_spec(config, extract), columns, text_decoder(config), idf=idf)


def _fit(config: TextConfig, extract: TfidfConfig, train: TrainSplit, folder: Path) -> None:
    """Write the words of the columns (none when they are hashed) and the columns' weights."""
    texts, size = train_texts(config, train.payloads), extract.vocabulary
    if extract.hashing:
        hashed, total = count_texts(texts, hashed_columns(size))
        words, counts = [], [hashed[column] for column in range(size)]
    else:
        found_in, total = count_texts(texts, str)
        words = choose_words(found_in, size)
        counts = [found_in[word] for word in words]
    write_json(folder / IDF_FILE, {"words": words, "idf": smooth_idf(counts, total, size)})


TFIDF = ExtractorKind(
    config=TfidfConfig,
    version=2,
    spec=_spec,
    build=_build,
    fitting=Fitting(needed=lambda extract: True, run=_fit, file=IDF_FILE),
)
