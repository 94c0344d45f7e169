"""Recognised speech as text, and the features of a text extractor. Axes: S samples."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

import numpy as np
import numpy.typing as npt

from mmray.core.rejection import Rejection
from mmray.core.spec import FeatureSpec
from mmray.features.extractor import Decoded, Extractor, Feature
from mmray.media.audio.segment import AudioClip

Samples = npt.NDArray[np.float32]
Recogniser = Callable[[Sequence[Samples]], list[str]]


class TranscriptExtractor:
    """The features of a text extractor for the recognised words of a clip."""

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

    def extract(self, decoded: Sequence[AudioClip]) -> list[Feature | Rejection]:
        """Return the inner extractor's feature per clip; the texts of its segments are joined.

        A clip in which nothing is recognised is the Rejection ``audio_no_speech``; one whose text
        the inner extractor rejects keeps that reason.
        """
        read = [self._read(text) for text in transcribe(self._recognise, decoded)]
        usable = [text for text in read if not isinstance(text, Rejection)]
        features = iter(self._text.extract(usable) if usable else ())
        return [text if isinstance(text, Rejection) else next(features) for text in read]

    def _read(self, text: str | Rejection) -> Decoded | Rejection:
        if isinstance(text, Rejection):
            return text
        try:
            return self._text.decode(text.encode())
        except Rejection as rejection:
            return rejection


def transcribe(recognise: Recogniser, decoded: Sequence[AudioClip]) -> list[str | Rejection]:
    """Return the text of each clip: those of its segments, one after another."""
    texts = iter(recognise([segment for clip in decoded for segment in clip.segments]))
    parts = [[next(texts) for _ in clip.segments] for clip in decoded]
    return [" ".join(filter(None, spoken)) or _nothing_said() for spoken in parts]


def transcribed_payloads(
    clips: Iterable[AudioClip | Rejection], recognise: Recogniser, *, batch_size: int
) -> Iterator[bytes]:
    """Yield the texts of the clips, as payloads of a text modality; rejected clips are left out."""
    usable = (clip for clip in clips if not isinstance(clip, Rejection))
    while batch := list(islice(usable, batch_size)):
        for text in transcribe(recognise, batch):
            if not isinstance(text, Rejection):
                yield text.encode()


def _nothing_said() -> Rejection:
    return Rejection("audio_no_speech", "nothing is recognised in the clip")
