"""Recognised speech as text, and what a text extractor makes of it. Axes: S samples."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

import numpy as np
import numpy.typing as npt

from mmray.core.rejection import Rejection
from mmray.core.spec import FeatureSpec
from mmray.features.extractor import Extractor, Feature
from mmray.media.audio_segment import AudioClip

Samples = npt.NDArray[np.float32]
Recogniser = Callable[[Sequence[Samples]], list[str]]

NOTHING_SAID = "silence"
"""The text of a clip in which nothing is recognised, or nothing that the text extractor takes."""


class TranscriptExtractor:
    """What an extractor of texts gives for the words that are recognised in a clip."""

    def __init__(
        self,
        spec: FeatureSpec,
        decode: Callable[[bytes], AudioClip],
        recognise: Recogniser,
        text: Extractor,
    ) -> None:
        self.spec = spec
        self.decode = decode
        self._recognise = recognise
        self._text = text

    def extract(self, decoded: Sequence[AudioClip]) -> list[Feature]:
        """Return the inner extractor's feature per clip; the texts of its segments are joined."""
        texts = transcribe(self._recognise, decoded)
        return self._text.extract([self._decoded(text) for text in texts])

    def _decoded(self, text: str) -> object:
        try:
            return self._text.decode(text.encode())
        except Rejection:
            return self._text.decode(NOTHING_SAID.encode())


def transcribe(recognise: Recogniser, decoded: Sequence[AudioClip]) -> list[str]:
    """Return the text of each clip: those of its segments, one after another."""
    texts = iter(recognise([segment for clip in decoded for segment in clip.segments]))
    parts = [[next(texts) for _ in clip.segments] for clip in decoded]
    return [" ".join(filter(None, spoken)) or NOTHING_SAID for spoken in parts]


def transcribed_payloads(
    payloads: Iterable[bytes],
    decode: Callable[[bytes], AudioClip],
    recognise: Recogniser,
    *,
    batch_size: int,
) -> Iterator[bytes]:
    """Yield the texts of the clips, as payloads of a text modality; rejected clips are left out."""
    clips = _decoded(payloads, decode)
    while batch := list(islice(clips, batch_size)):
        for text in transcribe(recognise, batch):
            yield text.encode()


def _decoded(
    payloads: Iterable[bytes], decode: Callable[[bytes], AudioClip]
) -> Iterator[AudioClip]:
    for payload in payloads:
        try:
            yield decode(payload)
        except Rejection:
            continue
