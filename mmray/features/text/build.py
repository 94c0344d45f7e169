"""From the text section of the document to an extractor."""

import shutil
from functools import partial
from pathlib import Path
from typing import Any, assert_never

from mmray.config.text import BowConfig, CustomTextExtract, HFTextConfig, TextConfig, TokensConfig
from mmray.core.atomic import read_json
from mmray.core.fingerprint import digest_file
from mmray.core.word import Kind
from mmray.features.checkpoint import MODEL_FOLDER, checkpoint_identity, find_file
from mmray.features.custom import custom_digest, load_custom
from mmray.features.export import export_checkpoint
from mmray.features.extractor import Extractor
from mmray.features.state import fitted_file
from mmray.features.text.bow import BowExtractor
from mmray.features.text.fit import VOCABULARY_FILE
from mmray.features.text.spec import text_spec
from mmray.features.text.tokenizer import (
    SETTINGS_FILE,
    TOKENIZER_FILE,
    load_ready,
    pad_id,
    pad_token,
)
from mmray.features.text.tokens import TokensExtractor
from mmray.media.text import read_text

VERSIONS = {"tokens": 1, "bow": 1, "hf_text": 1, "custom": 1}
"""Raise one when that extractor's code, or its decoding, gives other features than before."""


def build_text(config: TextConfig, state: Path | None) -> Extractor:
    """Build the extractor of a text modality."""
    config = _with_exported(config, state)
    spec = text_spec(config)
    decode = partial(read_text, **config.clean.model_dump())
    match config.extract:
        case TokensConfig(tokenizer=ready):
            source = ready or str(fitted_file(state, TOKENIZER_FILE).parent)
            tokenizer = load_ready(source)
            return TokensExtractor(spec, tokenizer, pad_id(tokenizer, pad_token(source)), decode)
        case BowConfig():
            return BowExtractor(spec, read_json(fitted_file(state, VOCABULARY_FILE)), decode)
        case HFTextConfig() as extract:
            from mmray.features.text.hf_text import HFTextExtractor

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


def text_identity(config: TextConfig, state: Path | None) -> dict[str, Any]:
    """Return what beside its settings decides what the features are."""
    config = _with_exported(config, state)
    version = {"version": VERSIONS[config.extract.kind]}
    match config.extract:
        case HFTextConfig(model=model):
            return version | {"checkpoint": checkpoint_identity(model)}
        case TokensConfig(tokenizer=str(model)):
            return version | {"tokenizer": _tokenizer_identity(model)}
        case TokensConfig():
            return version | {"fitted": digest_file(fitted_file(state, TOKENIZER_FILE))}
        case BowConfig():
            return version | {"fitted": digest_file(fitted_file(state, VOCABULARY_FILE))}
        case CustomTextExtract() as extract:
            return version | {"code": custom_digest(extract.factory)}
        case _:
            assert_never(config.extract)


def export_text(config: TextConfig, state: Path | None, folder: Path) -> None:
    """Write into ``folder`` what ``build_text(config, folder)`` needs on another machine."""
    config = _with_exported(config, state)
    match config.extract:
        case HFTextConfig(model=model):
            export_checkpoint(model, folder / MODEL_FOLDER)
        case TokensConfig(tokenizer=str(model)):
            load_ready(model).save(str(folder / TOKENIZER_FILE))
            settings = find_file(model, SETTINGS_FILE)
            if settings is not None:
                shutil.copyfile(settings, folder / SETTINGS_FILE)
        case TokensConfig():
            shutil.copyfile(fitted_file(state, TOKENIZER_FILE), folder / TOKENIZER_FILE)
        case BowConfig():
            shutil.copyfile(fitted_file(state, VOCABULARY_FILE), folder / VOCABULARY_FILE)
        case CustomTextExtract():
            return
        case _:
            assert_never(config.extract)


def _with_exported(config: TextConfig, state: Path | None) -> TextConfig:
    """Point the config at the checkpoint or ready tokenizer inside of ``state``, if any."""
    if state is None:
        return config
    match config.extract:
        case HFTextConfig() if (state / MODEL_FOLDER).is_dir():
            change = {"model": str(state / MODEL_FOLDER)}
        case TokensConfig(tokenizer=str()) if (state / TOKENIZER_FILE).is_file():
            change = {"tokenizer": str(state)}
        case _:
            return config
    return config.model_copy(update={"extract": config.extract.model_copy(update=change)})


def _tokenizer_identity(model: str) -> str:
    path = find_file(model, TOKENIZER_FILE)
    if path is None:
        return str(checkpoint_identity(model))
    return digest_file(path)
