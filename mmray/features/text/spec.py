"""What text features will look like, told without data, torch or transformers."""

from typing import assert_never

from mmray.config.text import BowConfig, CustomTextExtract, HFTextConfig, TextConfig, TokensConfig
from mmray.core.spec import FeatureSpec
from mmray.core.word import Kind
from mmray.errors import ConfigError
from mmray.features.checkpoint import first_width, read_checkpoint_config
from mmray.features.custom import load_custom
from mmray.features.text.tokenizer import ready_vocabulary_size


def text_spec(config: TextConfig) -> FeatureSpec:
    """Return the spec that the built extractor will keep."""
    match config.extract:
        case TokensConfig() as extract:
            ready = extract.tokenizer
            size = extract.vocabulary if ready is None else ready_vocabulary_size(ready)
            return FeatureSpec(Kind.TEXT, "tokens", (extract.max_tokens,), "int32", size)
        case BowConfig() as extract:
            return FeatureSpec(Kind.TEXT, "vector", (extract.vocabulary,), "float32")
        case HFTextConfig() as extract:
            width = _width(extract)
            if extract.pooling == "sequence":
                shape = (extract.max_tokens, width)
                return FeatureSpec(Kind.TEXT, "sequence", shape, "float32")
            return FeatureSpec(Kind.TEXT, "vector", (width,), "float32")
        case CustomTextExtract() as extract:
            return load_custom(extract.factory, extract.options, Kind.TEXT).spec
        case _:
            assert_never(config.extract)


def _width(extract: HFTextConfig) -> int:
    checkpoint = read_checkpoint_config(extract.model)
    limit = checkpoint.get("max_position_embeddings")
    if isinstance(limit, int) and 0 < limit < extract.max_tokens:
        raise ConfigError(
            f"max_tokens ({extract.max_tokens}) is more than {extract.model!r} has positions for",
            hint=f"set max_tokens to {limit} or less",
        )
    told = (checkpoint.get(key) for key in ("hidden_size", "d_model", "dim", "n_embd"))
    return extract.dim or first_width(told, extract.model)
