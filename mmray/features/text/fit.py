"""What text extractors learn from the train split: a vocabulary."""

from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

from mmray.config.text import BowConfig, TextCleanConfig, TextConfig, TokensConfig
from mmray.core.atomic import replacing, write_json
from mmray.core.rejection import Rejection
from mmray.errors import ExtractionError
from mmray.features.text.bow import fit_vocabulary
from mmray.features.text.tokenizer import TOKENIZER_FILE, train_wordpiece
from mmray.media.text import read_text

VOCABULARY_FILE = "vocabulary.json"


def text_needs_fit(config: TextConfig) -> bool:
    """Say whether the extractor learns something before it can be built."""
    match config.extract:
        case BowConfig() | TokensConfig(tokenizer=None):
            return True
        case _:
            return False


def fit_text(config: TextConfig, payloads: Iterable[bytes], folder: Path) -> None:
    """Learn a vocabulary from the train split's payloads and write it into ``folder``."""
    match config.extract:
        case BowConfig(vocabulary=size):
            words = fit_vocabulary(_texts(config.clean, payloads), size)
            write_json(folder / VOCABULARY_FILE, words)
        case TokensConfig(tokenizer=None, vocabulary=size):
            tokenizer = train_wordpiece(_texts(config.clean, payloads), size)
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
