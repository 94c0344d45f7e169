"""What text extractors learn from the train split: a vocabulary, and how rare its words are."""

from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

from mmray.config.modality.text import (
    BowConfig,
    TextConfig,
    TextExtractConfig,
    TfidfConfig,
    TokensConfig,
)
from mmray.core.file.atomic import replacing, write_json
from mmray.core.rejection import Rejection
from mmray.errors import ExtractionError
from mmray.features.text.bow import choose_words, count_texts, smooth_idf
from mmray.features.text.cleaning import cleaning_of
from mmray.features.text.hashing import hashed_columns
from mmray.features.text.tokenizer import TOKENIZER_FILE
from mmray.features.text.train import train_tokenizer
from mmray.media.text.decode import read_text
from mmray.media.text.redaction import PLACEHOLDERS

VOCABULARY_FILE = "vocabulary.json"
IDF_FILE = "idf.json"


def text_needs_fit(config: TextConfig) -> bool:
    """Say whether the extractor learns something before it can be built."""
    return fitted_name(config.extract) is not None


def fitted_name(extract: TextExtractConfig) -> str | None:
    """Return the file that holds what the extractor has learnt, or None if it learns nothing."""
    match extract:
        case TokensConfig(tokenizer=None):
            return TOKENIZER_FILE
        case BowConfig(hashing=False):
            return VOCABULARY_FILE
        case TfidfConfig():
            return IDF_FILE
        case _:
            return None


def fit_text(config: TextConfig, payloads: Iterable[bytes], folder: Path) -> None:
    """Learn a vocabulary from the train split's payloads and write it into ``folder``."""
    texts = _texts(config, payloads)
    match config.extract:
        case BowConfig(hashing=False, vocabulary=size):
            words = choose_words(count_texts(texts, str)[0], size)
            write_json(folder / VOCABULARY_FILE, words)
        case TfidfConfig() as extract:
            write_json(folder / IDF_FILE, _fit_idf(extract, texts))
        case TokensConfig(tokenizer=None, vocabulary=size, algorithm=algorithm):
            placeholders = [
                PLACEHOLDERS[kind] for kind in PLACEHOLDERS if kind in config.clean.redact
            ]
            tokenizer = train_tokenizer(texts, size, algorithm=algorithm, whole=placeholders)
            with replacing(folder / TOKENIZER_FILE) as temporary:
                tokenizer.save(str(temporary))
        case _:
            return


def _fit_idf(extract: TfidfConfig, texts: Iterable[str]) -> dict[str, list[str] | list[float]]:
    """Return the words of the columns (none when they are hashed) and the columns' weights."""
    size = extract.vocabulary
    if extract.hashing:
        hashed, total = count_texts(texts, hashed_columns(size))
        words, counts = [], [hashed[column] for column in range(size)]
    else:
        found_in, total = count_texts(texts, str)
        words = choose_words(found_in, size)
        counts = [found_in[word] for word in words]
    return {"words": words, "idf": smooth_idf(counts, total, size)}


def _texts(config: TextConfig, payloads: Iterable[bytes]) -> Iterator[str]:
    read = partial(read_text, cleaning=cleaning_of(config))
    count = 0
    for payload in payloads:
        try:
            text = read(payload)
        except Rejection:
            continue
        count += 1
        yield text
    if not count:
        raise ExtractionError(
            "the train split has no usable text to learn a vocabulary from",
            hint="check the column and the split, or give a ready tokenizer",
        )
