"""What audio extractors learn from the train split: the vocabulary of what is said."""

from collections.abc import Iterable
from pathlib import Path

from mmray.config.audio import AudioConfig, TranscriptConfig
from mmray.features.audio.decode import audio_decoder
from mmray.features.audio.spec import inner_text
from mmray.features.text.fit import fit_text, text_needs_fit

TEXT_FOLDER = "text"
"""Where the state of a transcript's text extractor lies."""


def audio_needs_fit(config: AudioConfig) -> bool:
    """Say whether the extractor learns something before it can be built."""
    match config.extract:
        case TranscriptConfig() as extract:
            return text_needs_fit(inner_text(extract))
        case _:
            return False


def fit_audio(config: AudioConfig, payloads: Iterable[bytes], folder: Path) -> None:
    """Learn from the recognised texts of the train split's payloads, into ``folder``."""
    match config.extract:
        case TranscriptConfig() as extract if audio_needs_fit(config):
            from mmray.features.audio.transcriber import Transcriber
            from mmray.features.audio.transcript import transcribed_payloads

            texts = transcribed_payloads(
                payloads,
                audio_decoder(config.decode),
                Transcriber(
                    extract.model,
                    language=extract.language,
                    max_new_tokens=extract.max_new_tokens,
                    beams=extract.beams,
                    batch_size=extract.batch_size,
                ),
                batch_size=extract.batch_size,
            )
            (folder / TEXT_FOLDER).mkdir(parents=True, exist_ok=True)
            fit_text(inner_text(extract), texts, folder / TEXT_FOLDER)
        case _:
            return
