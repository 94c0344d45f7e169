"""The records of ``mfcc`` and ``log_mel``.

Apart from their code, which travels to the processes that decode: these load nothing else.
"""

from pathlib import Path

from mmray.config.modality.audio import AudioConfig, LogMelConfig, MfccConfig
from mmray.features.audio.decode import audio_decoder
from mmray.features.audio.spec import spectrum_spec
from mmray.features.audio.spectrum.frames import AudioFramesExtractor
from mmray.features.audio.spectrum.mel import LogMel
from mmray.features.audio.spectrum.mfcc import Mfcc
from mmray.features.extractor import Extractor
from mmray.features.kind import ExtractorKind


def _log_mel(config: AudioConfig, extract: MfccConfig | LogMelConfig) -> LogMel:
    return LogMel(
        config.decode.sample_rate_hz,
        mels=extract.mels,
        fft_size=extract.fft_size,
        hop=extract.hop,
        top_db=extract.top_db,
    )


def _build_mfcc(config: AudioConfig, extract: MfccConfig, state: Path | None) -> Extractor:
    mfcc = Mfcc(
        _log_mel(config, extract),
        mels=extract.mels,
        coefficients=extract.coefficients,
        deltas=extract.deltas,
    )
    decode = audio_decoder(config.decode)
    return AudioFramesExtractor(spectrum_spec(config, extract), decode, mfcc, extract.pooling)


def _build_log_mel(config: AudioConfig, extract: LogMelConfig, state: Path | None) -> Extractor:
    decode, log_mel = audio_decoder(config.decode), _log_mel(config, extract)
    return AudioFramesExtractor(spectrum_spec(config, extract), decode, log_mel, extract.pooling)


MFCC = ExtractorKind(config=MfccConfig, version=3, spec=spectrum_spec, build=_build_mfcc)
LOG_MEL = ExtractorKind(config=LogMelConfig, version=2, spec=spectrum_spec, build=_build_log_mel)
