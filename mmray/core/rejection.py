"""A payload that could not be used. A rejection is data: it becomes a reason in a table."""

import re

from mmray.core.text.secret import masked

_OBJECT = re.compile(r"<[\w.]+ object at 0x[0-9a-fA-F]+>")


class Rejection(Exception):  # noqa: N818 (a rejection is not an error)
    """Raised while decoding one payload.

    ``reason`` is a stable code such as ``image_truncated``; ``detail`` is for people. A memory
    address that a library names in it is left out: the same payload gives the same rejection.
    Secrets of URIs in it are masked, because it is stored and shown.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        detail = masked(_OBJECT.sub("payload", detail))
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail
