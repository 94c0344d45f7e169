"""The record of ``transcript``: what is said, as the payload of a text modality."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from mmray.config.modality.audio import AudioConfig, TranscriptConfig
from mmray.config.modality.text import TextConfig
from mmray.core.kind import Kind
from mmray.core.rejection import Rejection
from mmray.core.spec import FeatureSpec
from mmray.features.audio.checkpoint.family import check_decoding, check_text_length, read_family
from mmray.features.audio.decode import audio_decoder
from mmray.features.audio.transcript import (
    Recogniser,
    TranscriptExtractor,
    transcribed_payloads,
)
from mmray.features.checkpoints.checkpoint import MODEL_FOLDER, checkpoint_identity
from mmray.features.checkpoints.extractor import (
    NETWORKS,
    at_exported_model,
    export_model,
    model_files,
    weights_identity,
)
from mmray.features.extractor import Extractor
from mmray.features.kind import ExtractorKind, Fitting, TrainSplit, fit_settings
from mmray.features.text.kind import TEXT
from mmray.media.audio.segment import AudioClip
from mmray.media.guard.guard import GuardedDecoder

TEXT_FOLDER = "text"
"""The folder of a transcript's text extractor."""


def _text(extract: TranscriptConfig) -> TextConfig:
    """Return the text modality that a transcript is the payload of."""
    return TextConfig(column="transcript", clean=extract.text.clean, extract=extract.text.extract)


def _text_state(state: Path | None) -> Path | None:
    return None if state is None else state / TEXT_FOLDER


def _spec(config: AudioConfig, extract: TranscriptConfig) -> FeatureSpec:
    """Return the spec; a checkpoint that the decoding or its texts' length suits not is refused."""
    _check_recogniser(config, extract)
    return replace(TEXT.spec(_text(extract)), kind=Kind.AUDIO)


def _fitted_spec(config: AudioConfig, extract: TranscriptConfig, state: Path) -> FeatureSpec:
    return replace(TEXT.fitted_spec(_text(extract), _text_state(state)), kind=Kind.AUDIO)


def _check_recogniser(config: AudioConfig, extract: TranscriptConfig) -> None:
    family = read_family(extract.model)
    check_decoding(family, config.decode, extract.model)
    check_text_length(family, extract.max_new_tokens, extract.model)


def _build(config: AudioConfig, extract: TranscriptConfig, state: Path | None) -> Extractor:
    _check_recogniser(config, extract)
    recognise = _recogniser(extract)
    text = TEXT.build(_text(extract), _text_state(state))
    # The spec comes from the extractor: a bundle holds the files that the document names.
    spec = replace(text.spec, kind=Kind.AUDIO)
    return TranscriptExtractor(spec, audio_decoder(config.decode), recognise, text)


def _recogniser(extract: TranscriptConfig) -> Recogniser:
    from mmray.features.audio.checkpoint.transcriber import Transcriber

    return Transcriber(
        extract.model,
        language=extract.language,
        max_new_tokens=extract.max_new_tokens,
        beams=extract.beams,
        batch_size=extract.batch_size,
    )


def _needs_fit(extract: TranscriptConfig) -> bool:
    return TEXT.needs_fit(_text(extract))


def _fit(config: AudioConfig, extract: TranscriptConfig, train: TrainSplit, folder: Path) -> None:
    """Learn from the recognised texts.

    Clips are decoded in a process of its own: one that hangs or crashes teaches nothing.
    """
    (folder / TEXT_FOLDER).mkdir(parents=True, exist_ok=True)
    decode = audio_decoder(config.decode)
    with closing(GuardedDecoder(decode, timeout_s=train.timeout_s)) as decoder:
        spoken = TrainSplit(_texts(extract, decoder.each(train.payloads)), train.timeout_s)
        TEXT.fit(_text(extract), spoken, folder / TEXT_FOLDER)


def _texts(extract: TranscriptConfig, clips: Iterable[AudioClip | Rejection]) -> Iterator[bytes]:
    return transcribed_payloads(clips, _recogniser(extract), batch_size=extract.batch_size)


def _fit_settings(config: AudioConfig, extract: TranscriptConfig) -> dict[str, Any]:
    """Return the settings; the speech checkpoint counts by its content, wherever it lies."""
    settings = fit_settings(config, extract)
    settings["extract"] |= {"model": checkpoint_identity(extract.model), "batch_size": 0}
    return settings


def _identity(config: AudioConfig, extract: TranscriptConfig, state: Path | None) -> dict[str, Any]:
    text = TEXT.decided(_text(extract), _text_state(state))
    return weights_identity(config, extract, state) | {"text": text}


def _export(
    config: AudioConfig, extract: TranscriptConfig, state: Path | None, folder: Path
) -> None:
    from mmray.features.audio.checkpoint.transcriber import save_recogniser

    export_model(config, extract, state, folder)
    save_recogniser(extract.model, folder / MODEL_FOLDER)
    (folder / TEXT_FOLDER).mkdir(exist_ok=True)
    TEXT.export(_text(extract), _text_state(state), folder / TEXT_FOLDER)


def _exported(extract: TranscriptConfig) -> tuple[str, ...]:
    inner = (f"{TEXT_FOLDER}/{name}" for name in TEXT.exported(_text(extract)))
    return (*model_files(extract), *inner)


TRANSCRIPT = ExtractorKind(
    config=TranscriptConfig,
    version=3,
    spec=_spec,
    build=_build,
    fitting=Fitting(
        needed=_needs_fit,
        run=_fit,
        settings=_fit_settings,
        spec=_fitted_spec,
        network_decoder=lambda config: audio_decoder(config.decode),
    ),
    identity=_identity,
    export=_export,
    exported=_exported,
    relocated=at_exported_model,
    libraries=NETWORKS,
)
