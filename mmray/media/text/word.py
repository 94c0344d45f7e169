"""Words: where they begin and end, and which of them say little."""

import logging
import re
import warnings
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, cast

from mmray.media.text.redaction import PLACEHOLDER

MAX_RUN = 1000
"""Characters that are cut into words at once: of a run, the time grows with the square."""
_CJK = re.compile(f"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0002fa1f]{{1,{MAX_RUN}}}")
_PUNCTUATION = ".,;:!?\"'()[]{}«»“”‘’…。，、；：！？（）《》【】"
_WORD = re.compile(rf"{PLACEHOLDER.pattern}|\w+")


def find_words(text: str) -> list[str]:
    """Return the runs of letters, digits and underscores; a placeholder is one word."""
    return _WORD.findall(text)


def segment_chinese(text: str) -> str:
    """Put a space between Chinese words. Other text is unchanged."""
    if not _CJK.search(text):
        return text
    return _CJK.sub(lambda run: f" {' '.join(_segmenter()(run[0]))} ", text)


def without_stop_words(words: Iterable[str], languages: tuple[str, ...]) -> list[str]:
    """Drop the stop words of ``languages``, with whatever punctuation clings to them."""
    stopped = load_stop_words(languages)
    return [
        word
        for word in words
        if word.strip(_PUNCTUATION).lower() not in stopped or PLACEHOLDER.search(word)
    ]


@cache
def load_stop_words(languages: tuple[str, ...]) -> frozenset[str]:
    """Return the stop words of ``languages`` (ISO 639-1 codes) from the stopwords-iso lists."""
    import stopwordsiso

    return frozenset(stopwordsiso.stopwords(list(languages)))


@cache
def _segmenter() -> Callable[[str], Iterable[str]]:
    with warnings.catch_warnings():
        # jieba's own source: invalid escapes, and pkg_resources where it is installed.
        warnings.simplefilter("ignore")
        import jieba

    module = cast("Any", jieba)
    module.setLogLevel(logging.WARNING)
    return module.cut
