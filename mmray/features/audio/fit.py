"""What audio extractors learn from the train split: the vocabulary of what is said."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from mmray.config.modality.audio import AudioConfig, TranscriptConfig
from mmray.core.rejection import Rejection
from mmray.features.audio.decode import audio_decoder
from mmray.features.audio.spec import inner_text
from mmray.features.checkpoints.checkpoint import checkpoint_identity
from mmray.features.text.fit import fit_text, text_needs_fit
from mmray.media.audio.segment import AudioClip
from mmray.media.guard.guard import GuardedDecoder

TEXT_FOLDER = "text"
"""Where the state of a transcript's text extractor lies."""


def audio_needs_fit(config: AudioConfig) -> bool:
    """Say whether the extractor learns something before it can be built."""
    match config.extract:
        case TranscriptConfig() as extract:
            return text_needs_fit(inner_text(extract))
        case _:
            return False


def audio_fit_identity(config: AudioConfig) -> dict[str, Any]:
    """Return, as plain JSON, what beside the payloads decides what is learnt.

    The speech checkpoint counts by its content, wherever it lies.
    """
    settings = config.model_dump(mode="json", exclude={"encode", "augment"})
    if isinstance(config.extract, TranscriptConfig):
        settings["extract"] |= {"model": checkpoint_identity(config.extract.model), "batch_size": 0}
    return settings


def fit_audio(
    config: AudioConfig, payloads: Iterable[bytes], folder: Path, *, timeout_s: float
) -> None:
    """Learn from the recognised texts of the train split's payloads, into ``folder``.

    Clips are decoded in a process of its own: one that hangs or crashes teaches nothing.
    """
    match config.extract:
        case TranscriptConfig() as extract if audio_needs_fit(config):
            (folder / TEXT_FOLDER).mkdir(parents=True, exist_ok=True)
            with closing(
                GuardedDecoder(audio_decoder(config.decode), timeout_s=timeout_s)
            ) as decoder:
                texts = _texts(extract, decoder.each(payloads))
                fit_text(inner_text(extract), texts, folder / TEXT_FOLDER)
        case _:
            return


def _texts(extract: TranscriptConfig, clips: Iterable[AudioClip | Rejection]) -> Iterator[bytes]:
    from mmray.features.audio.transcriber import Transcriber
    from mmray.features.audio.transcript import transcribed_payloads

    recognise = Transcriber(
        extract.model,
        language=extract.language,
        max_new_tokens=extract.max_new_tokens,
        beams=extract.beams,
        batch_size=extract.batch_size,
    )
    return transcribed_payloads(clips, recognise, batch_size=extract.batch_size)
