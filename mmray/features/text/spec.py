"""What text features will look like, told without data, torch or transformers."""

from pathlib import Path
from typing import assert_never

from mmray.config.modality.text import (
    BowConfig,
    CustomTextExtract,
    HFTextConfig,
    TextConfig,
    TfidfConfig,
    TokensConfig,
    WordVectorsConfig,
)
from mmray.core.kind import Kind
from mmray.core.spec import FeatureSpec
from mmray.features.checkpoints.checkpoint import first_width, read_checkpoint_config
from mmray.features.checkpoints.kind import check_kind
from mmray.features.custom import load_custom
from mmray.features.text.position import check_layer, check_positions, text_settings
from mmray.features.text.tokenizer import ready_vocabulary_size
from mmray.features.text.vector_file import read_vector_header


def text_spec(config: TextConfig) -> FeatureSpec:
    """Return the spec that the built extractor will keep."""
    match config.extract:
        case TokensConfig() as extract:
            ready = extract.tokenizer
            size = extract.vocabulary if ready is None else ready_vocabulary_size(ready)
            return FeatureSpec(Kind.TEXT, "tokens", (extract.max_tokens,), "int32", size)
        case BowConfig() | TfidfConfig() as extract:
            return FeatureSpec(Kind.TEXT, "vector", (extract.vocabulary,), "float32")
        case WordVectorsConfig() as extract:
            return _pooled_spec(extract, read_vector_header(vector_path(extract)).dim)
        case HFTextConfig() as extract:
            return _pooled_spec(extract, _width(extract))
        case CustomTextExtract() as extract:
            return load_custom(extract.factory, extract.options, Kind.TEXT).spec
        case _:
            assert_never(config.extract)


def vector_path(extract: WordVectorsConfig) -> Path:
    """Return where the word vectors are."""
    return Path(extract.path).expanduser()


def _pooled_spec(extract: HFTextConfig | WordVectorsConfig, width: int) -> FeatureSpec:
    if extract.pooling == "sequence":
        return FeatureSpec(Kind.TEXT, "sequence", (extract.max_tokens, width), "float32")
    return FeatureSpec(Kind.TEXT, "vector", (width,), "float32")


def _width(extract: HFTextConfig) -> int:
    checkpoint = read_checkpoint_config(extract.model)
    check_kind(checkpoint, Kind.TEXT, extract.model)
    settings = text_settings(checkpoint)
    check_positions(extract.model, settings, extract.max_tokens)
    check_layer(extract.model, settings, extract.layer)
    names = ("hidden_size", "d_model", "dim", "n_embd")
    # SigLIP's own pooling ends in a projection, which may have a width of its own.
    if extract.pooling == "cls" and str(settings.get("model_type")).startswith("siglip"):
        names = ("projection_size", *names)
    return extract.dim or first_width((settings.get(name) for name in names), extract.model)
