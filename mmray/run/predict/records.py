"""From records of anybody to payload bytes; an odd record affects no other."""

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, cast, runtime_checkable
from urllib.parse import unquote_to_bytes

from mmray.config.modality.modality import ModalityConfig
from mmray.core.rejection import Rejection
from mmray.core.text.secret import masked
from mmray.data.manifest.reference import reference_of
from mmray.features.payloads.payload import read_payload
from mmray.media.source import PayloadReader

Record: TypeAlias = Mapping[str, Any]
ABSENT = Rejection("missing")
SHOWN = 200
"""Most characters of a reference in a message."""
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_URL_SAFE = str.maketrans("-_", "+/")


@runtime_checkable
class Frame(Protocol):
    """A pandas DataFrame; pandas need not be installed."""

    columns: Any

    def to_dict(self, orient: str) -> Any:  # noqa: ANN401
        """Return rows as mappings for ``orient='records'``."""
        ...

    def __len__(self) -> int:
        """Return the number of rows."""
        ...


Records: TypeAlias = Record | Frame | Iterable[Record]


@dataclass(frozen=True, slots=True)
class Intake:
    """Takes payloads out of records."""

    reader: PayloadReader | None
    """Reads paths and URIs. Without it no file is read, and text is base64."""
    max_bytes: int

    def payload(self, config: ModalityConfig, record: object) -> tuple[bytes | Rejection, str]:
        """Return a payload or the reason for its absence, and its reference to a file, if any."""
        try:
            return self._payload(config, record)
        except Exception as error:  # a cell can be any object at all
            return Rejection("wrong_type", f"{type(error).__name__}: {error}"[:SHOWN]), ""

    def _payload(self, config: ModalityConfig, record: object) -> tuple[bytes | Rejection, str]:
        if not isinstance(record, Mapping):
            told = f"a record maps columns to payloads, and is not a {type(record).__name__}"
            return Rejection("wrong_type", told), ""
        try:
            reference = reference_of(config, cast("Record", record))
        except ValueError as error:
            return Rejection("wrong_type", str(error)), ""
        if reference is None:
            return ABSENT, ""
        if config.is_inline or isinstance(reference, bytes):
            payload = (
                reference if isinstance(reference, bytes) else reference.encode("utf-8", "replace")
            )
            return self._checked(payload), ""
        if reference[:5].lower() == "data:":
            return self._from_data(reference), ""
        if self.reader is None:
            return self._from_base64(reference), ""
        return read_payload(self.reader, reference, is_inline=False), masked(reference)[:SHOWN]

    def _from_data(self, uri: str) -> bytes | Rejection:
        head, comma, content = uri.partition(",")
        if not comma:
            return Rejection("not_base64", "a data: URI has a comma before its data")
        if head.lower().endswith(";base64"):
            return self._from_base64(unquote_to_bytes(content).decode("ascii", "replace"))
        return self._checked(unquote_to_bytes(content))

    def _from_base64(self, text: str) -> bytes | Rejection:
        if len(text) > 2 * self.max_bytes:
            return self._too_large(len(text))
        text = "".join(text.split()).translate(_URL_SAFE)
        try:
            if not _BASE64.fullmatch(text):
                raise binascii.Error
            return self._checked(base64.b64decode(text + "=" * (-len(text) % 4), validate=True))
        except binascii.Error:
            told = "a payload is sent as base64 or a data: URI; no path or URI is read here"
            return Rejection("not_base64", told)

    def _checked(self, payload: bytes) -> bytes | Rejection:
        return payload if len(payload) <= self.max_bytes else self._too_large(len(payload))

    def _too_large(self, size: int) -> Rejection:
        return Rejection("too_large", f"{size} bytes; the limit is {self.max_bytes}")


def to_records(records: Records) -> list[Record]:
    """Return records in order; a mapping is one record, a DataFrame one per row."""
    if isinstance(records, Mapping):
        return [cast("Record", records)]
    if isinstance(records, Frame):
        rows: list[Record] = records.to_dict(orient="records") if len(records.columns) else []
        return rows or [{}] * len(records)
    if isinstance(records, str | bytes):
        raise TypeError(
            f"records are mappings of columns to payloads, not {type(records).__name__}"
        )
    return list(records)
