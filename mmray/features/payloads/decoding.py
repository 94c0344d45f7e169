"""Processes of decoders: native code reads hostile bytes in a process of its own."""

from functools import partial
from typing import Any

from mmray.config.modality.modality import ModalityConfig
from mmray.features.extractor import Decode, Extractor
from mmray.features.kinds import kind_of
from mmray.media.guard.guard import GuardedDecoder
from mmray.media.source import PayloadReader, read_and_decode

LONG_BYTES = 2**15
"""A longer text is cleaned in a process of its own: it takes seconds, and may be ended."""


def safe_decoder(
    config: ModalityConfig,
    extractor: Extractor,
    *,
    timeout_s: float,
    children: int = 1,
    takes_turns: bool = False,
    reader: PayloadReader | None = None,
) -> Decode:
    """Return the extractor's decoder so that a hang or a crash in it costs one payload.

    A user's own extractor decodes in this process: it may hold what cannot travel. With ``reader``
    what is decoded is ``Digested``, and a GuardedDecoder takes references, too: the bytes that they
    lead to need not travel.
    """
    decode = extractor.decode
    if reader is not None:
        decode = partial(read_and_decode, reader, decode)
    kind = kind_of(config)
    if kind.guard == "never" or not kind.extractor(config).may_leave_process:
        return decode
    if kind.guard == "long":
        return LongTextDecoder(decode, timeout_s=timeout_s)
    return GuardedDecoder(decode, timeout_s=timeout_s, children=children, takes_turns=takes_turns)


def is_guarded(config: ModalityConfig) -> bool:
    """Return whether payloads are decoded in processes of their own."""
    kind = kind_of(config)
    return kind.guard == "always" and kind.extractor(config).may_leave_process


class LongTextDecoder:
    """Decodes short texts here; a long one costs at most itself, in a process of its own."""

    def __init__(self, decode: Decode, *, timeout_s: float) -> None:
        self._decode = decode
        self._guarded = GuardedDecoder(decode, timeout_s=timeout_s)

    def __call__(self, payload: bytes) -> Any:  # noqa: ANN401 (whatever decode returns)
        """Return what ``decode`` returns, or raise its Rejection."""
        return self._decode(payload) if len(payload) <= LONG_BYTES else self._guarded(payload)
