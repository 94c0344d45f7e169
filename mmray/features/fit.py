"""What extractors learn from the train split: a vocabulary."""

from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

from mmray.config.modality import (
    BowConfig,
    ModalityConfig,
    TextCleanConfig,
    TextConfig,
    TokensConfig,
)
from mmray.core.atomic import replacing, write_json
from mmray.core.rejection import Rejection
from mmray.errors import ExtractionError
from mmray.features.bow import fit_vocabulary
from mmray.features.tokenizer import TOKENIZER_FILE, train_wordpiece
from mmray.media.text import read_text

FIT_VERSION = 1
"""Raised when the same payloads would teach something else."""
VOCABULARY_FILE = "vocabulary.json"


def needs_fit(config: ModalityConfig) -> bool:
    """Say whether the extractor learns something before it can be built."""
    match config:
        case TextConfig(extract=BowConfig()) | TextConfig(extract=TokensConfig(tokenizer=None)):
            return True
        case _:
            return False


def fit_extractor(config: ModalityConfig, payloads: Iterable[bytes], folder: Path) -> None:
    """Learn from the train split's payloads and write the state into ``folder``.

    Rejected payloads teach nothing. The same payloads give the same state, byte for byte.
    """
    folder.mkdir(parents=True, exist_ok=True)
    match config:
        case TextConfig(extract=BowConfig(vocabulary=size), clean=clean):
            words = fit_vocabulary(_texts(clean, payloads), size)
            write_json(folder / VOCABULARY_FILE, words)
        case TextConfig(extract=TokensConfig(tokenizer=None, vocabulary=size), clean=clean):
            tokenizer = train_wordpiece(_texts(clean, payloads), size)
            with replacing(folder / TOKENIZER_FILE) as temporary:
                tokenizer.save(str(temporary))
        case _:
            return


def _texts(clean: TextCleanConfig, payloads: Iterable[bytes]) -> Iterator[str]:
    read = partial(read_text, **clean.model_dump())
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
