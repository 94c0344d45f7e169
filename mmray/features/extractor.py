"""The contract of extractors, and running one over payloads of which some are bad."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from mmray.core.rejection import Rejection
from mmray.core.spec import FeatureSpec
from mmray.media.digested import Digested
from mmray.media.guard.guard import Entry, GuardedDecoder

Decoded: TypeAlias = Any
Decode: TypeAlias = Callable[[bytes], Decoded]
Feature: TypeAlias = npt.NDArray[Any]
Tally: TypeAlias = Callable[[Decoded], Mapping[str, int]]

HELD_BYTES = 64 * 2**20
"""Bytes of decoded payloads that are held before they are extracted."""


class Extractor(Protocol):
    """Frozen and pure: the same bytes give the same feature, alone or in any batch."""

    spec: FeatureSpec

    @property
    def decode(self) -> Decode:
        """Return the function from a payload to the input of ``extract``, or a raised Rejection.

        A function of a module, or a ``functools.partial`` of one: it can run in another process.
        """
        ...

    def extract(self, decoded: Sequence[Decoded]) -> Sequence[Feature | Rejection]:
        """Return one feature per item, in order; a Rejection where an item turns out unusable.

        A ragged feature has between 1 and ``spec.shape[0]`` steps; every other one ``spec.shape``.
        """
        ...


@dataclass(frozen=True, slots=True)
class ExtractedBatch:
    """One entry per payload, in order. A rejected one has no feature and a reason."""

    features: list[Feature | None]
    reasons: list[str]
    """Empty where a feature was extracted."""
    details: list[str]
    tallies: list[dict[str, int]] = field(default_factory=list[dict[str, int]])
    """Counts of each payload, empty where nothing was counted; no entries without a tally."""
    contents: list[str | None] = field(default_factory=list[str | None])
    """A digest of the bytes of each payload; None if it was rejected or the decoder gives none."""


def extract_batch(
    extractor: Extractor,
    payloads: Iterable[Entry],
    decode: Decode | None = None,
    tally: Tally | None = None,
) -> ExtractedBatch:
    """Decode and extract in order. A payload that is already a Rejection stays one.

    ``decode`` replaces the extractor's own, for example to run it in another process. ``tally``
    counts something in decoded payloads. Payloads are taken one by one, and what is decoded is
    extracted before it takes much memory. A GuardedDecoder may read them itself: then they are
    references.
    """
    result = ExtractedBatch([], [], [])
    rows: list[int] = []
    held: list[Decoded] = []
    held_bytes = 0
    for row, found in enumerate(_decode_each(decode or extractor.decode, payloads)):
        is_digested = isinstance(found, Digested)
        decoded = found.value if is_digested else found
        result.contents.append(found.digest if is_digested else None)
        is_rejected = isinstance(decoded, Rejection)
        result.features.append(None)
        result.reasons.append(decoded.reason if is_rejected else "")
        result.details.append(decoded.detail if is_rejected else "")
        if tally is not None:
            result.tallies.append({} if is_rejected else dict(tally(decoded)))
        if is_rejected:
            continue
        rows.append(row)
        held.append(decoded)
        held_bytes += getattr(decoded, "nbytes", 0)
        if held_bytes >= HELD_BYTES:
            _extract(extractor, rows, held, result)
            rows, held, held_bytes = [], [], 0
    _extract(extractor, rows, held, result)
    return result


def _decode_each(decode: Decode, payloads: Iterable[Entry]) -> Iterator[Decoded | Rejection]:
    if isinstance(decode, GuardedDecoder):
        return decode.each(payloads)  # several at once: each alone would cost a round trip
    return (_decoded(decode, payload) for payload in payloads)


def _decoded(decode: Decode, payload: Entry) -> Decoded | Rejection:
    if isinstance(payload, Rejection):
        return payload
    assert isinstance(payload, bytes)  # a reference is for a GuardedDecoder
    try:
        return decode(payload)
    except Rejection as rejection:
        return rejection


def _extract(
    extractor: Extractor, rows: Sequence[int], decoded: Sequence[Decoded], result: ExtractedBatch
) -> None:
    """Extract what was decoded of ``rows`` and put it into ``result``."""
    if not rows:
        return
    for row, feature in zip(rows, extractor.extract(decoded), strict=True):
        if isinstance(feature, Rejection):
            result.reasons[row], result.details[row] = feature.reason, feature.detail
        elif np.issubdtype(feature.dtype, np.floating) and not np.isfinite(feature).all():
            result.reasons[row] = "feature_not_finite"
            result.details[row] = "the extractor gave an infinite value or not a number"
        else:
            result.features[row] = feature
