"""From the audio section of the document to an extractor."""

from functools import partial
from pathlib import Path
from typing import Any, assert_never

from mmray.config.audio import AudioConfig, CustomAudioExtract, MfccConfig
from mmray.core.word import Kind
from mmray.features.audio.mfcc import Mfcc, MfccExtractor
from mmray.features.audio.spec import audio_spec
from mmray.features.custom import custom_digest, load_custom
from mmray.features.extractor import Extractor
from mmray.media.audio import decode_audio

VERSIONS = {"mfcc": 1, "custom": 1}
"""Raise one when that extractor's code, or its decoding, gives other features than before."""


def build_audio(config: AudioConfig, state: Path | None) -> Extractor:
    """Build the extractor of an audio modality."""
    match config.extract:
        case MfccConfig() as extract:
            transform = Mfcc(
                config.decode.sample_rate_hz,
                coefficients=extract.coefficients,
                mels=extract.mels,
                fft_size=extract.fft_size,
                hop=extract.hop,
            )
            decoding = config.decode.model_dump(exclude={"denoise"})
            return MfccExtractor(
                audio_spec(config),
                partial(decode_audio, denoise=config.decode.denoise == "spectral", **decoding),
                partial(transform, top_db=extract.top_db),
                extract.pooling,
            )
        case CustomAudioExtract() as extract:
            return load_custom(extract.factory, extract.options, Kind.AUDIO)
        case _:
            assert_never(config.extract)


def audio_identity(config: AudioConfig, state: Path | None) -> dict[str, Any]:
    """Return what beside its settings decides what the features are."""
    version = {"version": VERSIONS[config.extract.kind]}
    match config.extract:
        case CustomAudioExtract() as extract:
            return version | {"code": custom_digest(extract.factory)}
        case MfccConfig():
            return version
        case _:
            assert_never(config.extract)


def export_audio(config: AudioConfig, state: Path | None, folder: Path) -> None:
    """Write into ``folder`` what ``build_audio(config, folder)`` needs on another machine."""
