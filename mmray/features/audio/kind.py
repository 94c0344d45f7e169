"""The record of audio modalities."""

from mmray.config.modality.audio import AudioConfig, CustomAudioExtract
from mmray.core.kind import Kind
from mmray.features.audio.checkpoint.hf_audio_kind import HF_AUDIO
from mmray.features.audio.example import example_sound
from mmray.features.audio.spectrum.kind import LOG_MEL, MFCC
from mmray.features.audio.transcript_kind import TRANSCRIPT
from mmray.features.audio.waveform import WAVEFORM
from mmray.features.custom import custom_extractor
from mmray.features.kind import ModalityKind, guessed_format

AUDIO = ModalityKind(
    kind=Kind.AUDIO,
    config=AudioConfig,
    extractors=(
        MFCC,
        LOG_MEL,
        WAVEFORM,
        HF_AUDIO,
        TRANSCRIPT,
        custom_extractor(CustomAudioExtract, Kind.AUDIO, version=1),
    ),
    libraries=("soundfile", "av", "soxr", "scipy", "numpy"),
    guard="always",
    format_of=guessed_format,
    example=example_sound,
    also_reads=frozenset((Kind.VIDEO,)),
)
