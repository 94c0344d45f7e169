"""Decoding and cleaning of a text for its extractor."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from mmray.config.modality.text import HFTextConfig, TextConfig, TokensConfig
from mmray.core.rejection import Rejection
from mmray.errors import ExtractionError
from mmray.media.text.decode import Cleaning, read_text


def cleaning_of(config: TextConfig) -> Cleaning:
    """Return the settings with what is left open decided.

    A checkpoint's own tokenizer knows whether case matters, and cuts Chinese as it was trained to.
    """
    match config.extract:
        case HFTextConfig() | TokensConfig(tokenizer=str()):
            default = False
        case _:
            default = True
    settings = config.clean.model_dump()
    for key in ("lowercase", "segment"):
        settings[key] = default if settings[key] is None else settings[key]
    return Cleaning(**settings)


def text_decoder(config: TextConfig) -> Callable[[bytes], str]:
    """Return the decoder of this modality's payloads."""
    return partial(read_text, cleaning=cleaning_of(config))


def train_texts(config: TextConfig, payloads: Iterable[bytes]) -> Iterator[str]:
    """Yield the usable texts of the train split; none at all is an ExtractionError."""
    read = text_decoder(config)
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
            "the train split has no usable text to fit a vocabulary on",
            hint="check the column and the split, or give a ready tokenizer",
        )
