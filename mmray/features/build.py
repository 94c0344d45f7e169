"""From the document to extractors: the only place that knows both."""

import shutil
from functools import partial
from pathlib import Path
from typing import Any, assert_never

from mmray.config.modality import (
    AudioConfig,
    BowConfig,
    CustomAudioExtract,
    CustomImageExtract,
    CustomTextExtract,
    HFImageConfig,
    HFTextConfig,
    ImageConfig,
    MfccConfig,
    ModalityConfig,
    PixelsConfig,
    TextConfig,
    TokensConfig,
)
from mmray.core.atomic import read_json
from mmray.core.fingerprint import digest_file
from mmray.core.word import Kind
from mmray.errors import ExtractionError
from mmray.features.bow import BowExtractor
from mmray.features.checkpoint import checkpoint_identity, find_file
from mmray.features.custom import custom_digest, load_custom
from mmray.features.export import export_checkpoint
from mmray.features.extractor import Extractor
from mmray.features.fit import VOCABULARY_FILE
from mmray.features.mfcc import Mfcc, MfccExtractor
from mmray.features.pixels import PixelsExtractor
from mmray.features.spec import spec_of
from mmray.features.tokenizer import (
    SETTINGS_FILE,
    TOKENIZER_FILE,
    load_ready,
    pad_id,
    pad_token,
)
from mmray.features.tokens import TokensExtractor
from mmray.media.audio import decode_audio
from mmray.media.image import decode_image, open_image
from mmray.media.text import read_text

MODEL_FOLDER = "model"
VERSIONS = {"tokens": 1, "bow": 1, "hf_text": 1, "pixels": 1, "hf_image": 1, "mfcc": 1, "custom": 1}
"""Raise one when that extractor's code, or its decoding, gives other features than before."""


def build_extractor(config: ModalityConfig, state: Path | None) -> Extractor:
    """Build the extractor of one modality.

    ``state`` holds what ``fit_extractor`` or ``export_extractor`` wrote; a checkpoint exported
    there is used in place of the one that the document names.
    """
    config = _with_exported(config, state)
    match config:
        case TextConfig():
            return _build_text(config, state)
        case ImageConfig():
            return _build_image(config)
        case AudioConfig():
            return _build_audio(config)
        case _:
            assert_never(config)


def extractor_identity(config: ModalityConfig, state: Path | None) -> dict[str, Any]:
    """Return, as plain JSON, everything that decides what the features are."""
    config = _with_exported(config, state)
    settings = config.model_dump(mode="json", include={"kind", "clean", "decode", "extract"})
    for key in ("model", "tokenizer", "batch_size", "dim"):
        settings["extract"].pop(key, None)
    identity = settings | {"version": VERSIONS[config.extract.kind]}
    match config.extract:
        case HFTextConfig(model=model) | HFImageConfig(model=model):
            return identity | {"checkpoint": checkpoint_identity(model)}
        case TokensConfig(tokenizer=str(model)):
            return identity | {"tokenizer": _tokenizer_identity(model)}
        case TokensConfig():
            return identity | {"fitted": digest_file(_fitted(state, TOKENIZER_FILE))}
        case BowConfig():
            return identity | {"fitted": digest_file(_fitted(state, VOCABULARY_FILE))}
        case CustomTextExtract() | CustomImageExtract() | CustomAudioExtract() as extract:
            return identity | {"code": custom_digest(extract.factory)}
        case PixelsConfig() | MfccConfig():
            return identity
        case _:
            assert_never(config.extract)


def export_extractor(config: ModalityConfig, state: Path | None, folder: Path) -> None:
    """Write into ``folder`` what ``build_extractor(config, folder)`` needs on another machine."""
    config = _with_exported(config, state)
    folder.mkdir(parents=True, exist_ok=True)
    match config.extract:
        case HFTextConfig(model=model) | HFImageConfig(model=model):
            export_checkpoint(model, folder / MODEL_FOLDER)
        case TokensConfig(tokenizer=str(model)):
            load_ready(model).save(str(folder / TOKENIZER_FILE))
            settings = find_file(model, SETTINGS_FILE)
            if settings is not None:
                shutil.copyfile(settings, folder / SETTINGS_FILE)
        case TokensConfig():
            shutil.copyfile(_fitted(state, TOKENIZER_FILE), folder / TOKENIZER_FILE)
        case BowConfig():
            shutil.copyfile(_fitted(state, VOCABULARY_FILE), folder / VOCABULARY_FILE)
        case _:
            return


def _build_text(config: TextConfig, state: Path | None) -> Extractor:
    spec = spec_of(config)
    decode = partial(read_text, **config.clean.model_dump())
    match config.extract:
        case TokensConfig(tokenizer=ready):
            source = ready or str(_fitted(state, TOKENIZER_FILE).parent)
            tokenizer = load_ready(source)
            return TokensExtractor(spec, tokenizer, pad_id(tokenizer, pad_token(source)), decode)
        case BowConfig():
            return BowExtractor(spec, read_json(_fitted(state, VOCABULARY_FILE)), decode)
        case HFTextConfig() as extract:
            from mmray.features.hf_text import HFTextExtractor

            return HFTextExtractor(
                spec,
                extract.model,
                decode,
                pooling=extract.pooling,
                max_tokens=extract.max_tokens,
                batch_size=extract.batch_size,
            )
        case CustomTextExtract() as extract:
            return load_custom(extract.factory, extract.options, Kind.TEXT)
        case _:
            assert_never(config.extract)


def _build_image(config: ImageConfig) -> Extractor:
    decoding = config.decode.model_dump()
    match config.extract:
        case PixelsConfig(height=height, width=width):
            decode = partial(decode_image, height=height, width=width, **decoding)
            return PixelsExtractor(spec_of(config), decode)
        case HFImageConfig() as extract:
            from mmray.features.hf_image import HFImageExtractor

            return HFImageExtractor(
                spec_of(config),
                extract.model,
                partial(open_image, **decoding),
                batch_size=extract.batch_size,
            )
        case CustomImageExtract() as extract:
            return load_custom(extract.factory, extract.options, Kind.IMAGE)
        case _:
            assert_never(config.extract)


def _build_audio(config: AudioConfig) -> Extractor:
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
                spec_of(config),
                partial(decode_audio, denoise=config.decode.denoise == "spectral", **decoding),
                partial(transform, top_db=extract.top_db),
                extract.pooling,
            )
        case CustomAudioExtract() as extract:
            return load_custom(extract.factory, extract.options, Kind.AUDIO)
        case _:
            assert_never(config.extract)


def _with_exported(config: ModalityConfig, state: Path | None) -> ModalityConfig:
    """Point the config at the checkpoint or ready tokenizer inside of ``state``, if any."""
    if state is None:
        return config
    match config.extract:
        case HFTextConfig() | HFImageConfig() if (state / MODEL_FOLDER).is_dir():
            change = {"model": str(state / MODEL_FOLDER)}
        case TokensConfig(tokenizer=str()) if (state / TOKENIZER_FILE).is_file():
            change = {"tokenizer": str(state)}
        case _:
            return config
    return config.model_copy(update={"extract": config.extract.model_copy(update=change)})


def _fitted(state: Path | None, name: str) -> Path:
    if state is None or not (state / name).is_file():
        raise ExtractionError(
            f"there is no fitted {name} in {str(state)!r}", hint="run fit_extractor first"
        )
    return state / name


def _tokenizer_identity(model: str) -> str:
    path = find_file(model, TOKENIZER_FILE)
    if path is None:
        return str(checkpoint_identity(model))
    return digest_file(path)
