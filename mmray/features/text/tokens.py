"""Token ids. Axes: T tokens."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tokenizers

from mmray.config.modality.text import TextConfig, TokensConfig
from mmray.core.file.atomic import replacing
from mmray.core.fingerprint import digest_file
from mmray.core.kind import Kind
from mmray.core.spec import FeatureSpec
from mmray.errors import ConfigError
from mmray.features.checkpoints.checkpoint import checkpoint_identity, find_file
from mmray.features.extractor import Extractor, Feature
from mmray.features.kind import ExtractorKind, Fitting, TrainSplit
from mmray.features.state import fitted_file
from mmray.features.text.cleaning import text_decoder, train_texts
from mmray.features.text.tokenizer import (
    SETTINGS_FILE,
    TOKENIZER_FILE,
    UNKNOWN,
    load_ready,
    pad_id,
    pad_token,
    ready_vocabulary_size,
    vocabulary_size,
)
from mmray.features.text.train import train_tokenizer
from mmray.media.text.redaction import PLACEHOLDERS


class TokensExtractor:
    """``(T,)`` int32, at least one token and at most ``spec.shape[0]``; 0 always pads.

    Its spec has the tokenizer's number of ids, at most those of the ``declared`` one.
    A tokenizer whose padding has another id has the two swapped; one without padding has all its
    ids moved up by one.
    """

    def __init__(
        self,
        declared: FeatureSpec,
        tokenizer: tokenizers.Tokenizer,
        pad: int | None,
        decode: Callable[[bytes], str],
    ) -> None:
        size = vocabulary_size(tokenizer, pad)
        if size > declared.vocabulary:
            raise ConfigError(
                f"the tokenizer has {size} tokens, more than the {declared.vocabulary} declared",
                hint="raise extract.vocabulary, or extract again",
            )
        self.spec = replace(declared, vocabulary=size)
        self.decode = decode
        tokenizer.no_padding()
        tokenizer.enable_truncation(declared.shape[0])
        self._tokenizer = tokenizer
        self._renumber = _renumbering(size, pad)
        unknown = tokenizer.token_to_id(UNKNOWN)
        self._unknown = 0 if unknown is None else unknown

    def extract(self, decoded: Sequence[str]) -> list[Feature]:
        """Return the ids of each text."""
        encoded = self._tokenizer.encode_batch_fast(list(decoded))
        return [self._renumber[code.ids or [self._unknown]] for code in encoded]


def _renumbering(size: int, pad: int | None) -> npt.NDArray[np.int32]:
    """Return the table from the tokenizer's ids to ours."""
    if pad is None:
        return np.arange(1, size + 1, dtype=np.int32)
    table = np.arange(size, dtype=np.int32)
    table[[0, pad]] = table[[pad, 0]]
    return table


def _spec(config: TextConfig, extract: TokensConfig) -> FeatureSpec:
    ready = extract.tokenizer
    size = extract.vocabulary if ready is None else ready_vocabulary_size(ready)
    return FeatureSpec(Kind.TEXT, "tokens", (extract.max_tokens,), "int32", size)


def _fitted_spec(config: TextConfig, extract: TokensConfig, state: Path) -> FeatureSpec:
    size = ready_vocabulary_size(str(fitted_file(state, TOKENIZER_FILE).parent))
    return replace(_spec(config, extract), vocabulary=size)


def _build(config: TextConfig, extract: TokensConfig, state: Path | None) -> Extractor:
    source = extract.tokenizer or str(fitted_file(state, TOKENIZER_FILE).parent)
    tokenizer = load_ready(source)
    pad = pad_id(tokenizer, pad_token(source))
    return TokensExtractor(_spec(config, extract), tokenizer, pad, text_decoder(config))


def _fit(config: TextConfig, extract: TokensConfig, train: TrainSplit, folder: Path) -> None:
    placeholders = [PLACEHOLDERS[kind] for kind in PLACEHOLDERS if kind in config.clean.redact]
    tokenizer = train_tokenizer(
        train_texts(config, train.payloads),
        extract.vocabulary,
        algorithm=extract.algorithm,
        whole=placeholders,
    )
    with replacing(folder / TOKENIZER_FILE) as temporary:
        tokenizer.save(str(temporary))


def _identity(config: TextConfig, extract: TokensConfig, state: Path | None) -> dict[str, Any]:
    if extract.tokenizer is None:
        return {}
    path = find_file(extract.tokenizer, TOKENIZER_FILE)
    content = str(checkpoint_identity(extract.tokenizer)) if path is None else digest_file(path)
    return {"tokenizer": content}


def _export(config: TextConfig, extract: TokensConfig, state: Path | None, folder: Path) -> None:
    if extract.tokenizer is None:
        return
    load_ready(extract.tokenizer).save(str(folder / TOKENIZER_FILE))
    settings = find_file(extract.tokenizer, SETTINGS_FILE)
    if settings is not None:
        shutil.copyfile(settings, folder / SETTINGS_FILE)


def _relocated(extract: TokensConfig, state: Path) -> TokensConfig:
    if extract.tokenizer is None or not (state / TOKENIZER_FILE).is_file():
        return extract
    return extract.model_copy(update={"tokenizer": str(state)})


TOKENS = ExtractorKind(
    config=TokensConfig,
    version=3,
    spec=_spec,
    build=_build,
    fitting=Fitting(
        needed=lambda extract: extract.tokenizer is None,
        run=_fit,
        file=TOKENIZER_FILE,
        spec=_fitted_spec,
    ),
    identity=_identity,
    export=_export,
    exported=lambda extract: () if extract.tokenizer is None else (TOKENIZER_FILE,),
    relocated=_relocated,
    libraries=("tokenizers",),
)
