"""Text: from bytes to a clean string."""

import codecs
import re
import unicodedata
from dataclasses import dataclass

from mmray.core.rejection import Rejection
from mmray.media.text.html import without_html
from mmray.media.text.redaction import PLACEHOLDER, redact
from mmray.media.text.word import segment_chinese, without_stop_words

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_INVISIBLE = re.compile(
    "[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0001\U000e0020-\U000e007f]+"
)
MAX_MARKS = 30
"""On one letter, as in the Stream-Safe Text Format of Unicode; further ones are dropped."""
# Marks are no letters, and more of what is no letter is rare.
_MARKS = re.compile(rf"[^\w\s\x00-\x7f]{{{MAX_MARKS + 1},}}")
# The longer mark first: that of UTF-32 begins with that of UTF-16.
_ENCODINGS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
    codecs.BOM_UTF8: "utf-8-sig",
}


@dataclass(frozen=True, slots=True)
class Cleaning:
    """The steps of ``clean_text``, in order."""

    max_chars: int = 1_000_000
    encoding: str = "utf-8"
    html: bool = True
    redact: tuple[str, ...] = ()
    phone_regions: tuple[str, ...] = ()
    lowercase: bool = True
    segment: bool = True
    stop_words: tuple[str, ...] = ()


def decode_text(payload: bytes, encoding: str = "utf-8") -> str:
    """Return the text without its byte order mark.

    A mark of UTF-8, UTF-16 or UTF-32 goes before ``encoding``. Rejects ``text_undecodable``,
    ``text_empty``.
    """
    encoding = next(
        (name for mark, name in _ENCODINGS.items() if payload.startswith(mark)), encoding
    )
    try:
        text = payload.decode(encoding)
    except UnicodeError as error:
        location = f" at byte {error.start:,}" if isinstance(error, UnicodeDecodeError) else ""
        raise Rejection("text_undecodable", f"it is not {encoding}{location}") from None
    if not _visible(text):
        raise Rejection("text_empty", f"{len(payload)} bytes, nothing visible")
    if text.count("\0") * 4 > len(text):
        raise Rejection("text_undecodable", "mostly null bytes: binary, or UTF-16 without a mark")
    return text


def clean_text(text: str, cleaning: Cleaning) -> str:
    """Return words joined by single spaces.

    When cleaning would leave no letter or digit, the text is only normalised (NFKC) and redacted.
    """
    normalised = _normalised(without_html(text) if cleaning.html else text)
    if not _says_something(normalised):
        normalised = _normalised(text)
    if cleaning.redact:
        normalised, _ = redact(normalised, cleaning.redact, phone_regions=cleaning.phone_regions)
    cleaned = _lowered(normalised, keep=bool(cleaning.redact)) if cleaning.lowercase else normalised
    words = (segment_chinese(cleaned) if cleaning.segment else cleaned).split()
    if cleaning.stop_words:
        words = without_stop_words(words, cleaning.stop_words)
    cleaned = " ".join(words)
    return cleaned if _says_something(cleaned) else normalised


def read_text(payload: bytes, cleaning: Cleaning) -> str:
    """Decode and clean in one go. Rejects also ``text_too_long``."""
    text = decode_text(payload, cleaning.encoding)
    if len(text) > cleaning.max_chars:
        raise Rejection(
            "text_too_long", f"{len(text)} characters; the limit is {cleaning.max_chars}"
        )
    return clean_text(text, cleaning)


def _normalised(text: str) -> str:
    return _visible(unicodedata.normalize("NFKC", _MARKS.sub(_with_few_marks, text)))


def _with_few_marks(run: re.Match[str]) -> str:
    """Keep as many marks on one letter as any language has; sorting more takes quadratic time."""
    kept: list[str] = []
    marks = 0
    for character in run[0]:
        marks = marks + 1 if unicodedata.combining(character) else 0
        if marks <= MAX_MARKS:
            kept.append(character)
    return "".join(kept)


def _visible(text: str) -> str:
    return " ".join(_INVISIBLE.sub("", _CONTROL.sub(" ", text)).split())


def _says_something(text: str) -> bool:
    return any(character.isalnum() for character in text)


def _lowered(text: str, *, keep: bool) -> str:
    """Return ``text`` in lower case, except for its placeholders when they are to be kept."""
    if not keep:
        return text.lower()
    pieces: list[str] = []
    kept_until = 0
    for match in PLACEHOLDER.finditer(text):
        pieces += [text[kept_until : match.start()].lower(), match[0]]
        kept_until = match.end()
    return "".join([*pieces, text[kept_until:].lower()])
