"""From the decode section of an audio modality to what reads a payload."""

from collections.abc import Callable
from functools import partial

from mmray.config.modality.audio import AudioDecodeConfig
from mmray.media.audio.decode import AudioSteps, decode_audio
from mmray.media.audio.segment import AudioClip


def audio_decoder(config: AudioDecodeConfig) -> Callable[[bytes], AudioClip]:
    """Return a callable that can be pickled and needs neither torch nor transformers."""
    windows, pauses = config.windows, config.by_silence
    steps = AudioSteps(
        max_duration_s=config.max_duration_s,
        channels=config.channels,
        sample_rate_hz=config.sample_rate_hz,
        high_pass_hz=config.high_pass_hz,
        denoise=config.denoise == "spectral",
        trim_db=config.trim_db,
        loudness_lufs=config.loudness_lufs,
        segment_s=config.segment_s,
        windows=None if windows is None else (windows.length_s, windows.hop_s),
        by_silence=None if pauses is None else (pauses.top_db, pauses.min_s),
        max_segments=config.max_segments,
    )
    return partial(decode_audio, steps=steps)
