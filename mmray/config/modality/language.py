"""Languages, regions and encodings that text cleaning knows, checked without loading word lists."""

import codecs
import difflib
from collections.abc import Iterable
from contextlib import suppress

STOP_WORD_LANGUAGES = (
    "af", "ar", "bg", "bn", "br", "ca", "cs", "da", "de", "el", "en", "eo", "es", "et", "eu",
    "fa", "fi", "fr", "ga", "gl", "gu", "ha", "he", "hi", "hr", "hu", "hy", "id", "it", "ja",
    "ko", "ku", "la", "lt", "lv", "mr", "ms", "nl", "no", "pl", "pt", "ro", "ru", "sk", "sl",
    "so", "st", "sv", "sw", "th", "tl", "tr", "uk", "ur", "vi", "yo", "zh", "zu",
)  # fmt: skip
"""The languages of the stopwords-iso lists."""


def check_languages(codes: tuple[str, ...]) -> tuple[str, ...]:
    """Return ``codes``; a language without a list of stop words is a ValueError."""
    for code in codes:
        if code not in STOP_WORD_LANGUAGES:
            raise ValueError(
                f"there are no stop words for the language {code!r}"
                f" ({_advice(code, code[:2].lower(), STOP_WORD_LANGUAGES)})"
            )
    return codes


def check_encoding(name: str) -> str:
    """Return Python's name of an encoding; one that decodes no text is a ValueError."""
    try:
        found = codecs.lookup(name)
        with suppress(UnicodeError):
            b"text".decode(found.name)
    except LookupError:
        raise ValueError(
            f"there is no text encoding {name!r} (for example utf-8, gb18030, big5, shift_jis,"
            " cp1252, latin-1)"
        ) from None
    return found.name


def check_regions(codes: tuple[str, ...]) -> None:
    """Refuse a region without a known telephone plan."""
    import phonenumbers

    known: Iterable[str] = phonenumbers.SUPPORTED_REGIONS
    for code in codes:
        if code not in known:
            raise ValueError(
                f"there is no telephone plan for the region {code!r} in phone_regions"
                f" ({_advice(code, code.upper(), sorted(known))})"
            )


def _advice(code: str, guess: str, known: Iterable[str]) -> str:
    names = list(known)
    close = [guess] if guess in names else difflib.get_close_matches(code, names, n=1)
    listed = f"use one of {', '.join(names)}"
    return f"did you mean {close[0]!r}?" if close else listed
