"""Text: from bytes to a clean string."""

import html
import logging
import re
import unicodedata
import warnings
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, cast

from mmray.core.rejection import Rejection

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]+")
_CJK = re.compile("[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0002fa1f]+")
_TAG = re.compile(r"<[A-Za-z/!?][^<>]*>")
_BLOCK = re.compile(r"<(!--|script\b|style\b)", re.IGNORECASE)
_BLOCK_ENDS = {
    "!--": re.compile("-->"),
    "script": re.compile(r"</script\s*>", re.IGNORECASE),
    "style": re.compile(r"</style\s*>", re.IGNORECASE),
}
_PUNCTUATION = ".,;:!?\"'()[]{}«»“”‘’…。，、；：！？（）《》【】"


def decode_text(payload: bytes) -> str:
    """Return UTF-8 without its byte order mark. Rejects ``text_undecodable``, ``text_empty``."""
    try:
        text = payload.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Rejection("text_undecodable", str(error)) from None
    if not _visible(text):
        raise Rejection("text_empty", f"{len(payload)} bytes, nothing to see")
    return text


def clean_text(
    text: str, *, lowercase: bool, html: bool, segment: bool, stop_words: tuple[str, ...]
) -> str:
    """Return words joined by single spaces.

    When cleaning would leave nothing, the text is only normalised (NFKC).
    """
    normalised = _visible(unicodedata.normalize("NFKC", text))
    cleaned = _visible(_without_html(normalised)) if html else normalised
    if lowercase:
        cleaned = cleaned.lower()
    if segment and _CJK.search(cleaned):
        cleaned = _CJK.sub(_segmented, cleaned)
    words = cleaned.split()
    if stop_words:
        stopped = load_stop_words(stop_words)
        words = [word for word in words if word.strip(_PUNCTUATION).lower() not in stopped]
    if not any(character.isalnum() for word in words for character in word):
        return normalised
    return " ".join(words)


def read_text(
    payload: bytes, *, lowercase: bool, html: bool, segment: bool, stop_words: tuple[str, ...]
) -> str:
    """Decode and clean in one go."""
    text = decode_text(payload)
    return clean_text(text, lowercase=lowercase, html=html, segment=segment, stop_words=stop_words)


@cache
def load_stop_words(languages: tuple[str, ...]) -> frozenset[str]:
    """Return the stop words of ``languages`` (ISO 639-1 codes); an unknown code has none."""
    import stopwordsiso

    return frozenset(stopwordsiso.stopwords(list(languages)))


def _visible(text: str) -> str:
    return " ".join(_INVISIBLE.sub("", _CONTROL.sub(" ", text)).split())


def _without_html(text: str) -> str:
    return html.unescape(_TAG.sub(" ", _without_blocks(text)))


def _without_blocks(text: str) -> str:
    """Drop comments, scripts and styles. A block that never ends stays; time is linear."""
    pieces: list[str] = []
    kept_until = 0
    endless: set[str] = set()
    for match in _BLOCK.finditer(text):
        kind = match[1].lower()
        if match.start() < kept_until or kind in endless:
            continue
        end = _BLOCK_ENDS[kind].search(text, match.end())
        if end is None:
            endless.add(kind)
            continue
        pieces.append(text[kept_until : match.start()])
        kept_until = end.end()
    return " ".join([*pieces, text[kept_until:]])


def _segmented(run: re.Match[str]) -> str:
    return f" {' '.join(_segmenter()(run[0]))} "


@cache
def _segmenter() -> Callable[[str], Iterable[str]]:
    with warnings.catch_warnings():
        # jieba's own source: invalid escapes, and pkg_resources where it is installed.
        warnings.simplefilter("ignore")
        import jieba

    module = cast("Any", jieba)
    module.setLogLevel(logging.WARNING)
    return module.cut
