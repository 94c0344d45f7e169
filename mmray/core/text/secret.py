"""Secrets in text: what may be printed, logged or stored of a URI or a setting."""

import re
from typing import Any

MASK = "***"

_USER = re.compile(r"(?<=://)[^\s/?#'\"]*@")
"""The part before the last ``@`` of a URI's authority: a user name, a password, or a token."""

_NAME = (
    r"[\w.%-]*(?:signature|credential|token|secret|password|passwd|api[_-]?key|access[_-]?key"
    r"|authorization)[\w.%-]*|sig|pwd|auth|key|sas"
)
_QUERY = re.compile(rf"(?i)([?&;](?:{_NAME})=)[^\s&;#'\"]+")
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}")


def masked(text: str) -> str:
    """Return ``text`` with the secrets of every URI in it replaced by ``***``.

    These are user names and passwords, values of query parameters that grant access (signatures,
    tokens, keys), and the text after ``Bearer`` or ``Basic``. Other text is unchanged.

    >>> masked("cannot read https://me:pass@host/a.png?sig=abc&size=2")
    'cannot read https://***@host/a.png?sig=***&size=2'
    """
    if "://" not in text and "earer" not in text and "asic" not in text:
        return text
    text = _USER.sub(f"{MASK}@", text)
    text = _QUERY.sub(rf"\g<1>{MASK}", text)
    return _BEARER.sub(rf"\g<1> {MASK}", text)


def masked_document(document: Any) -> Any:  # noqa: ANN401 (anything that JSON can say)
    """Return a JSON-like document with ``masked`` applied to every string in it, keys included."""
    if isinstance(document, str):
        return masked(document)
    if isinstance(document, dict):
        return {masked_document(key): masked_document(value) for key, value in document.items()}
    if isinstance(document, list | tuple):
        return [masked_document(value) for value in document]
    return document
