"""Tables of JSON: an object per line."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from mmray.data.layouts.limits import MAX_COLUMNS, MAX_LINE_BYTES
from mmray.errors import ManifestError

_SPACE_BEFORE_COLON = re.compile(rb'"\s+:')
HINT = 'each line must be one object, such as {"photo": "a.jpg"}'


def read_json_lines(file: str, stream: BinaryIO) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield (line, row); lines without anything on them are passed over."""
    for number, line in enumerate(_lines(file, stream), start=1):
        if not line.strip():
            continue
        row = parse_row(line, f"{file}:{number}")
        if not isinstance(row, dict):
            raise ManifestError("this line is not an object", where=f"{file}:{number}", hint=HINT)
        yield number, row


def parse_row(text: str | bytes, where: str, what: str = "this line") -> Any:  # noqa: ANN401 (JSON)
    """Return the JSON of one row; half of a surrogate pair in it becomes a question mark."""
    content = text.encode(errors="surrogatepass") if isinstance(text, str) else text
    try:
        row = json.loads(text)
        if not _has_each_key_once(content, row):
            row = json.loads(text, object_pairs_hook=_once)  # takes half as long again
    except (ValueError, RecursionError) as error:
        raise ManifestError(
            f"{what} is not JSON: {_reason(error)}", where=where, hint=HINT
        ) from None
    return _mended(row) if b"\\ud" in content.lower() else row


def _lines(file: str, stream: BinaryIO) -> Iterator[bytes]:
    number = 0
    while line := stream.readline(MAX_LINE_BYTES):
        number += 1
        if len(line) == MAX_LINE_BYTES and not line.endswith(b"\n"):
            raise ManifestError(
                f"this line has more than {MAX_LINE_BYTES:,} bytes",
                where=f"{file}:{number}",
                hint="keep payloads in files, and their paths in the manifest",
            )
        yield from line.splitlines()  # some end lines with \r alone


def _has_each_key_once(content: bytes, row: object) -> bool:
    """Return whether colons are as many as keys, at least after quotes; False is a guess."""
    if not isinstance(row, dict) or len(row) > MAX_COLUMNS:
        return False
    if content.count(b":") == len(row):
        return True
    return content.count(b'":') == len(row) and not _SPACE_BEFORE_COLON.search(content)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))
        raise ValueError(f"the key {twice[:80]!r} appears twice")
    if len(row) > MAX_COLUMNS:
        raise ValueError(f"it has {len(row):,} keys, {MAX_COLUMNS:,} are read")
    return row


def _reason(error: Exception) -> str:
    match error:
        case json.JSONDecodeError():
            return error.msg
        case UnicodeDecodeError():
            return "not UTF-8"
        case RecursionError():
            return "it is nested too deeply"
        case _ if "integer string conversion" in str(error):
            return "it has a number of thousands of digits"
        case _:
            return str(error)


def _mended(value: Any) -> Any:  # noqa: ANN401
    """Half of a surrogate pair is JSON, but no text."""
    match value:
        case str():
            return value.encode(errors="replace").decode()
        case list():
            return [_mended(item) for item in value]
        case dict():
            return {_mended(key): _mended(item) for key, item in value.items()}
        case _:
            return value
