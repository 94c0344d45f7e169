"""The type of a payload in words, without its content: the reader may not be allowed to see it."""

import filetype

_HEAD = 8192
_LFS = b"version https://git-lfs.github.com/spec/"
_CONTROL = frozenset(range(32)) - frozenset(b"\t\n\r\f")


def looks_like(payload: bytes) -> str:
    """Name the kind of a payload, and quote nothing of it."""
    head = payload[:_HEAD]
    start = head.lstrip().lower()
    if not head.strip(b"\0"):
        return f"{len(payload)} bytes, the first of them zeros"
    if head.startswith(_LFS):
        return "a pointer of Git LFS: the file itself was not fetched"
    if start.startswith((b"<!doctype html", b"<html")):
        return "a page of HTML"
    found = filetype.guess_mime(head)
    if found is not None:
        return f"a file of type {found}"
    return "text" if not _CONTROL & set(head) else f"{len(payload)} bytes of no known type"
