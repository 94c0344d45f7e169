"""The record of ``hf_audio``, without torch or transformers."""

from pathlib import Path

from mmray.config.modality.audio import AudioConfig, HFAudioConfig
from mmray.core.spec import FeatureSpec
from mmray.errors import ConfigError
from mmray.features.audio.checkpoint.family import Family, check_decoding, read_family, told_width
from mmray.features.audio.checkpoint.yamnet_plan import patches_of
from mmray.features.audio.decode import audio_decoder
from mmray.features.audio.spec import sequence_spec, vector_spec
from mmray.features.checkpoints.extractor import checkpoint_extractor
from mmray.features.extractor import Extractor


def _spec(config: AudioConfig, extract: HFAudioConfig) -> FeatureSpec:
    """Return the spec; a checkpoint that does not fit the decoding is a ConfigError."""
    family, decode = read_family(extract.model), config.decode
    check_decoding(family, decode, extract.model)
    width = told_width(family, extract.dim, extract.model)
    if extract.pooling == "sequence":
        frames = _frames(family, decode.segment_size)
        return sequence_spec(decode, frames, extract.max_frames, width)
    if extract.pooling == "pooled" and not family.has_pooled:
        raise ConfigError(
            f"checkpoint {extract.model!r} has no pooled output",
            hint="set extract.pooling to mean or sequence",
        )
    return vector_spec(decode, width)


def _frames(family: Family, segment_size: int | None) -> int | None:
    if segment_size is None:
        return family.frames
    match family.name:
        case "waveform":
            return family.frames_of(max(segment_size, family.shortest))
        case "yamnet":
            return patches_of(segment_size)
        case _:
            return family.frames


def _build(config: AudioConfig, extract: HFAudioConfig, state: Path | None) -> Extractor:
    spec, decode = _spec(config, extract), audio_decoder(config.decode)
    family = read_family(extract.model)
    if family.name == "yamnet":
        from mmray.features.audio.checkpoint.yamnet import YamnetExtractor

        return YamnetExtractor(
            spec, decode, extract.model, pooling=extract.pooling, batch_size=extract.batch_size
        )
    from mmray.features.audio.checkpoint.hf_audio import HFAudioExtractor

    return HFAudioExtractor(
        spec, decode, family, extract.model, pooling=extract.pooling, batch_size=extract.batch_size
    )


HF_AUDIO = checkpoint_extractor(HFAudioConfig, version=2, spec=_spec, build=_build)
