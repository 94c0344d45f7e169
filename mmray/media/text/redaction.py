"""Redaction: personal data in a text becomes a placeholder that says what was there.

What is found is what can be checked: an address that parses, a number whose check digit holds or
that a telephone plan knows. Names, birthdays and postal addresses are not looked for. Time is
linear in the length of the text.
"""

import ipaddress
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

PLACEHOLDERS = {
    "email": "[EMAIL]",
    "ip": "[IP]",
    "cn_id": "[CN_ID]",
    "card": "[CARD]",
    "us_ssn": "[US_SSN]",
    "phone": "[PHONE]",
}
"""Kinds in the order in which they are looked for: the strictest first."""
PLACEHOLDER = re.compile(r"\[(?:EMAIL|IP|CN_ID|CARD|US_SSN|PHONE)\]")

# Every pattern starts at the beginning of a run and is bounded, so that no run is read twice.
_EMAIL = re.compile(
    r"(?<![A-Za-z0-9\u00c0-\u024f._%+'-])[A-Za-z0-9\u00c0-\u024f._%+'-]{1,64}"
    r"@(?:[A-Za-z0-9\u00c0-\u024f](?:[A-Za-z0-9\u00c0-\u024f-]{0,61}"
    r"[A-Za-z0-9\u00c0-\u024f])?\.){1,8}(?:xn--[A-Za-z0-9-]{1,59}|[A-Za-z]{2,63})"
)
_IP_V4 = re.compile(r"(?<![A-Za-z0-9_.])[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?!\.?[0-9])")
_IP_V6 = re.compile(r"[0-9A-Za-z_:.]+")
_CN_ID = re.compile(r"(?<![0-9A-Za-z])[0-9]{17}[0-9Xx](?![0-9A-Za-z])")
_CARD = re.compile(r"(?<![0-9])[0-9]{3,}(?:[ \u2010-\u2015-][0-9]{3,})*")
_CARD_DIGITS = range(13, 20)
_US_SSN = re.compile(r"(?<![0-9A-Za-z-])([0-9]{3})([ -])([0-9]{2})\2([0-9]{4})(?![0-9A-Za-z-])")
_MANY_DIGITS = re.compile(r"\d(?:[^\w\n]{0,4}\d){6}")
_LONGEST_IP_WORD = 80


def redact(
    text: str, kinds: Sequence[str], *, phone_regions: Sequence[str] = ()
) -> tuple[str, Counter[str]]:
    """Return ``text`` with placeholders for the ``kinds`` of personal data, and their counts.

    A placeholder that the text already has is split (``[ EMAIL ]``), so that afterwards each one
    marks a match. ``phone_regions`` are ISO 3166 codes of the countries whose numbers are known
    without ``+`` and country code.
    """
    text = PLACEHOLDER.sub(lambda match: f"[ {match[0][1:-1]} ]", text)
    for kind in PLACEHOLDERS:
        if kind in kinds:
            text = _HIDE[kind](text, phone_regions)
    return text, count_redactions(text)


def count_redactions(text: str) -> Counter[str]:
    """Count the placeholders by kind in what ``redact`` returned, cleaned further or not."""
    names = {placeholder: kind for kind, placeholder in PLACEHOLDERS.items()}
    return Counter(names[found] for found in PLACEHOLDER.findall(text))


def _hide_emails(text: str, _: Sequence[str]) -> str:
    return _EMAIL.sub(PLACEHOLDERS["email"], text) if "@" in text else text


def _hide_ips(text: str, _: Sequence[str]) -> str:
    if "::" in text or text.count(":") > 5:
        text = _IP_V6.sub(_hidden_v6, text)
    return _IP_V4.sub(_hidden_if(_is_v4, "ip"), text)


def _hidden_v6(match: re.Match[str]) -> str:
    word = match[0]
    if word.count(":") < 2 or len(word) > _LONGEST_IP_WORD:
        return word
    rest = word.partition(":")[2]  # of a label such as "address:"
    for candidate in (word, word.rstrip(".:"), rest, rest.rstrip(".:")):
        if _is_v6(candidate):
            return word.replace(candidate, PLACEHOLDERS["ip"], 1)
    return word


def _is_v4(text: str) -> bool:
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return True


def _is_v6(text: str) -> bool:
    try:
        return ipaddress.IPv6Address(text) != ipaddress.IPv6Address("::")
    except ValueError:
        return False


def _hide_cn_ids(text: str, _: Sequence[str]) -> str:
    if not _CN_ID.search(text):
        return text
    from stdnum.cn import ric

    return _CN_ID.sub(_hidden_if(ric.is_valid, "cn_id"), text)


def _hide_us_ssns(text: str, _: Sequence[str]) -> str:
    if not _US_SSN.search(text):
        return text
    from stdnum.us import ssn

    return _US_SSN.sub(
        _hidden_if(lambda found: ssn.is_valid(found.replace(" ", "-")), "us_ssn"), text
    )


def _hide_cards(text: str, _: Sequence[str]) -> str:
    if not _CARD.search(text):
        return text
    return _CARD.sub(lambda match: "".join(_without_cards(match[0])), text)


def _without_cards(run: str) -> Iterator[str]:
    """Yield the groups and separators of ``run``, a card's groups as one placeholder."""
    from stdnum import luhn

    parts = re.split("([^0-9])", run)  # groups at even indices, separators between them
    start = 0
    while start < len(parts):
        end = _end_of_card(parts, start, luhn.is_valid)
        yield PLACEHOLDERS["card"] if end else parts[start]
        start = end or start + 1


def _end_of_card(parts: Sequence[str], start: int, is_valid: Callable[[str], bool]) -> int:
    """Return the place after the longest card number that starts at ``start``, or 0."""
    if not parts[start].isdigit() or parts[start].startswith("0"):
        return 0
    digits, end = "", 0
    for index in range(start, len(parts), 2):
        digits += parts[index]
        if len(digits) not in range(_CARD_DIGITS.stop):
            break
        if len(digits) in _CARD_DIGITS and is_valid(digits):
            end = index + 1
    return end


def _hide_phones(text: str, regions: Sequence[str]) -> str:
    if not _MANY_DIGITS.search(text):
        return text
    import phonenumbers

    for region in regions or (None,):
        # The library gives up after some thousands of numbers that are none; we do not.
        matches = phonenumbers.PhoneNumberMatcher(text, region, max_tries=sys.maxsize)
        pieces: list[str] = []
        kept_until = 0
        for match in matches:
            pieces += [text[kept_until : match.start], PLACEHOLDERS["phone"]]
            kept_until = match.end
        text = "".join([*pieces, text[kept_until:]])
    return text


def _hidden_if(is_valid: Callable[[str], bool], kind: str) -> Callable[[re.Match[str]], str]:
    return lambda match: PLACEHOLDERS[kind] if is_valid(match[0]) else match[0]


_HIDE: dict[str, Callable[[str, Sequence[str]], str]] = {
    "email": _hide_emails,
    "ip": _hide_ips,
    "cn_id": _hide_cn_ids,
    "card": _hide_cards,
    "us_ssn": _hide_us_ssns,
    "phone": _hide_phones,
}
