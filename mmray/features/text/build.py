"""From the text section of the document to an extractor."""

import shutil
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, assert_never

import numpy as np

from mmray.config.modality.text import (
    BowConfig,
    CustomTextExtract,
    HFTextConfig,
    TextConfig,
    TfidfConfig,
    TokensConfig,
    WordVectorsConfig,
)
from mmray.core.fingerprint import digest_file
from mmray.core.kind import Kind
from mmray.core.spec import FeatureSpec
from mmray.features.checkpoints.checkpoint import MODEL_FOLDER, checkpoint_identity, find_file
from mmray.features.checkpoints.export import export_checkpoint
from mmray.features.custom import custom_digest, load_custom
from mmray.features.extractor import Extractor
from mmray.features.state import fitted_file
from mmray.features.text.bow import BowExtractor
from mmray.features.text.cleaning import cleaning_of
from mmray.features.text.fit import IDF_FILE, VOCABULARY_FILE, fitted_name
from mmray.features.text.fitted import read_weighted, read_words
from mmray.features.text.hashing import hashed_columns
from mmray.features.text.spec import text_spec, vector_path
from mmray.features.text.tokenizer import (
    SETTINGS_FILE,
    TOKENIZER_FILE,
    load_ready,
    pad_id,
    pad_token,
)
from mmray.features.text.tokens import TokensExtractor
from mmray.features.text.vector_file import read_vectors, write_vectors
from mmray.features.text.word_vectors import WordVectorsExtractor
from mmray.media.text.decode import read_text

VECTORS_FILE = "vectors.bin"
"""Where a bundle keeps the word vectors of a modality."""
VERSIONS = {"tokens": 3, "bow": 3, "tfidf": 2, "word_vectors": 2, "hf_text": 3, "custom": 2}
"""Raise one when that extractor's code, or its decoding, gives other features than before."""


def build_text(config: TextConfig, state: Path | None) -> Extractor:
    """Build the extractor of a text modality."""
    config = _with_exported(config, state)
    spec = text_spec(config)
    decode = partial(read_text, cleaning=cleaning_of(config))
    match config.extract:
        case TokensConfig(tokenizer=ready):
            source = ready or str(fitted_file(state, TOKENIZER_FILE).parent)
            tokenizer = load_ready(source)
            return TokensExtractor(spec, tokenizer, pad_id(tokenizer, pad_token(source)), decode)
        case BowConfig(hashing=True, vocabulary=size):
            return BowExtractor(spec, hashed_columns(size), decode)
        case BowConfig():
            words = read_words(fitted_file(state, VOCABULARY_FILE), spec.shape[0])
            return BowExtractor(spec, _indices(words), decode)
        case TfidfConfig() as extract:
            fitted = read_weighted(fitted_file(state, IDF_FILE), spec.shape[0])
            hashed = hashed_columns(extract.vocabulary) if extract.hashing else None
            columns = hashed or _indices(fitted.words)
            return BowExtractor(spec, columns, decode, idf=np.array(fitted.idf))
        case WordVectorsConfig() as extract:
            words, vectors = read_vectors(vector_path(extract), extract.limit)
            return WordVectorsExtractor(spec, words, vectors, decode, pooling=extract.pooling)
        case HFTextConfig() as extract:
            return _build_hf_text(extract, spec, decode)
        case CustomTextExtract() as extract:
            return load_custom(extract.factory, extract.options, Kind.TEXT)
        case _:
            assert_never(config.extract)


def _build_hf_text(
    extract: HFTextConfig, spec: FeatureSpec, decode: Callable[[bytes], str]
) -> Extractor:
    from mmray.features.text.hf_text import HFTextExtractor, Reading

    reading = Reading(
        pooling=extract.pooling,
        layer=extract.layer,
        normalise=extract.normalise,
        max_tokens=extract.max_tokens,
        overlap=extract.overlap if extract.long_text == "windows" else None,
        batch_size=extract.batch_size,
    )
    return HFTextExtractor(spec, extract.model, decode, reading)


def _indices(words: Sequence[str]) -> dict[str, int]:
    return {word: index for index, word in enumerate(words)}


def text_identity(config: TextConfig, state: Path | None) -> dict[str, Any]:
    """Return what beside its settings decides what the features are."""
    config = _with_exported(config, state)
    version: dict[str, Any] = {"version": VERSIONS[config.extract.kind]}
    learnt = fitted_name(config.extract)
    if learnt is not None:
        return version | {"fitted": digest_file(fitted_file(state, learnt))}
    match config.extract:
        case HFTextConfig(model=model):
            return version | {"checkpoint": checkpoint_identity(model)}
        case TokensConfig(tokenizer=str(model)):
            return version | {"tokenizer": _tokenizer_identity(model)}
        case WordVectorsConfig() as extract:
            return version | {"vectors": digest_file(vector_path(extract))}
        case CustomTextExtract() as extract:
            return version | {"code": custom_digest(extract.factory)}
        case _:
            return version


def export_text(config: TextConfig, state: Path | None, folder: Path) -> None:
    """Write into ``folder`` what ``build_text(config, folder)`` needs on another machine."""
    config = _with_exported(config, state)
    learnt = fitted_name(config.extract)
    if learnt is not None:
        shutil.copyfile(fitted_file(state, learnt), folder / learnt)
    match config.extract:
        case HFTextConfig(model=model):
            export_checkpoint(model, folder / MODEL_FOLDER)
        case TokensConfig(tokenizer=str(model)):
            load_ready(model).save(str(folder / TOKENIZER_FILE))
            settings = find_file(model, SETTINGS_FILE)
            if settings is not None:
                shutil.copyfile(settings, folder / SETTINGS_FILE)
        case WordVectorsConfig() as extract:
            write_vectors(folder / VECTORS_FILE, *read_vectors(vector_path(extract), extract.limit))
        case _:
            return


def _with_exported(config: TextConfig, state: Path | None) -> TextConfig:
    """Point the config at the checkpoint or ready tokenizer inside of ``state``, if any."""
    if state is None:
        return config
    match config.extract:
        case HFTextConfig() if (state / MODEL_FOLDER).is_dir():
            change = {"model": str(state / MODEL_FOLDER)}
        case TokensConfig(tokenizer=str()) if (state / TOKENIZER_FILE).is_file():
            change = {"tokenizer": str(state)}
        case WordVectorsConfig() if (state / VECTORS_FILE).is_file():
            change = {"path": str(state / VECTORS_FILE)}
        case _:
            return config
    return config.model_copy(update={"extract": config.extract.model_copy(update=change)})


def _tokenizer_identity(model: str) -> str:
    path = find_file(model, TOKENIZER_FILE)
    if path is None:
        return str(checkpoint_identity(model))
    return digest_file(path)
