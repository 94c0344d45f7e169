"""From the audio section of the document to an extractor."""

from dataclasses import replace
from pathlib import Path
from typing import Any, assert_never

from mmray.config.modality.audio import (
    AudioConfig,
    CustomAudioExtract,
    HFAudioConfig,
    LogMelConfig,
    MfccConfig,
    TranscriptConfig,
    WaveformConfig,
)
from mmray.core.kind import Kind
from mmray.features.audio.decode import audio_decoder
from mmray.features.audio.family import read_family
from mmray.features.audio.fit import TEXT_FOLDER
from mmray.features.audio.frames import AudioFramesExtractor
from mmray.features.audio.mel import LogMel
from mmray.features.audio.mfcc import Mfcc
from mmray.features.audio.spec import audio_spec, check_recogniser, inner_text
from mmray.features.audio.waveform import WaveformExtractor
from mmray.features.checkpoints.checkpoint import MODEL_FOLDER, checkpoint_identity
from mmray.features.checkpoints.export import export_checkpoint
from mmray.features.custom import custom_digest, load_custom
from mmray.features.extractor import Extractor
from mmray.features.text.build import build_text, export_text, text_identity

VERSIONS = {
    "mfcc": 3, "log_mel": 2, "waveform": 2, "hf_audio": 2, "transcript": 3, "custom": 1,
}  # fmt: skip
"""Raise one when that extractor's code, or its decoding, gives other features than before."""


def build_audio(config: AudioConfig, state: Path | None) -> Extractor:
    """Build the extractor of an audio modality."""
    config = _with_exported(config, state)
    match config.extract:
        case MfccConfig() as extract:
            mfcc = Mfcc(
                _log_mel(config, extract),
                mels=extract.mels,
                coefficients=extract.coefficients,
                deltas=extract.deltas,
            )
            decode = audio_decoder(config.decode)
            return AudioFramesExtractor(audio_spec(config), decode, mfcc, extract.pooling)
        case LogMelConfig() as extract:
            decode, log_mel = audio_decoder(config.decode), _log_mel(config, extract)
            return AudioFramesExtractor(audio_spec(config), decode, log_mel, extract.pooling)
        case WaveformConfig():
            return WaveformExtractor(audio_spec(config), audio_decoder(config.decode))
        case HFAudioConfig() as extract:
            return _build_hf(config, extract)
        case TranscriptConfig() as extract:
            return _build_transcript(config, extract, state)
        case CustomAudioExtract() as extract:
            return load_custom(extract.factory, extract.options, Kind.AUDIO)
        case _:
            assert_never(config.extract)


def audio_identity(config: AudioConfig, state: Path | None) -> dict[str, Any]:
    """Return what beside its settings decides what the features are."""
    config = _with_exported(config, state)
    version = {"version": VERSIONS[config.extract.kind]}
    match config.extract:
        case HFAudioConfig(model=model):
            return version | {"checkpoint": checkpoint_identity(model)}
        case TranscriptConfig(model=model) as extract:
            inner = text_identity(inner_text(extract), _text_state(state))
            return version | {"checkpoint": checkpoint_identity(model), "text": inner}
        case CustomAudioExtract() as extract:
            return version | {"code": custom_digest(extract.factory)}
        case MfccConfig() | LogMelConfig() | WaveformConfig():
            return version
        case _:
            assert_never(config.extract)


def export_audio(config: AudioConfig, state: Path | None, folder: Path) -> None:
    """Write into ``folder`` what ``build_audio(config, folder)`` needs on another machine."""
    config = _with_exported(config, state)
    match config.extract:
        case HFAudioConfig(model=model):
            export_checkpoint(model, folder / MODEL_FOLDER)
        case TranscriptConfig(model=model) as extract:
            from mmray.features.audio.transcriber import save_recogniser

            export_checkpoint(model, folder / MODEL_FOLDER)
            save_recogniser(model, folder / MODEL_FOLDER)
            (folder / TEXT_FOLDER).mkdir(exist_ok=True)
            export_text(inner_text(extract), _text_state(state), folder / TEXT_FOLDER)
        case MfccConfig() | LogMelConfig() | WaveformConfig() | CustomAudioExtract():
            return
        case _:
            assert_never(config.extract)


def _log_mel(config: AudioConfig, extract: MfccConfig | LogMelConfig) -> LogMel:
    return LogMel(
        config.decode.sample_rate_hz,
        mels=extract.mels,
        fft_size=extract.fft_size,
        hop=extract.hop,
        top_db=extract.top_db,
    )


def _build_hf(config: AudioConfig, extract: HFAudioConfig) -> Extractor:
    spec, decode = audio_spec(config), audio_decoder(config.decode)
    family = read_family(extract.model)
    if family.name == "yamnet":
        from mmray.features.audio.yamnet import YamnetExtractor

        return YamnetExtractor(
            spec, decode, extract.model, pooling=extract.pooling, batch_size=extract.batch_size
        )
    from mmray.features.audio.hf_audio import HFAudioExtractor

    return HFAudioExtractor(
        spec, decode, family, extract.model, pooling=extract.pooling, batch_size=extract.batch_size
    )


def _build_transcript(
    config: AudioConfig, extract: TranscriptConfig, state: Path | None
) -> Extractor:
    from mmray.features.audio.transcriber import Transcriber
    from mmray.features.audio.transcript import TranscriptExtractor

    check_recogniser(config, extract)
    recognise = Transcriber(
        extract.model,
        language=extract.language,
        max_new_tokens=extract.max_new_tokens,
        beams=extract.beams,
        batch_size=extract.batch_size,
    )
    text = build_text(inner_text(extract), _text_state(state))
    # Of the extractor and not of the document: a bundle holds the files that the document names.
    spec = replace(text.spec, kind=Kind.AUDIO)
    return TranscriptExtractor(spec, audio_decoder(config.decode), recognise, text)


def _text_state(state: Path | None) -> Path | None:
    return None if state is None else state / TEXT_FOLDER


def _with_exported(config: AudioConfig, state: Path | None) -> AudioConfig:
    """Point the config at the checkpoint inside of ``state``, if any."""
    if state is None or not (state / MODEL_FOLDER).is_dir():
        return config
    change = {"model": str(state / MODEL_FOLDER)}
    return config.model_copy(update={"extract": config.extract.model_copy(update=change)})
