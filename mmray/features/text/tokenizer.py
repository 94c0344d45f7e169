"""Tokenizers: ready ones from a folder or the hub, or trained by ``train``."""

from typing import Any

import tokenizers

from mmray.errors import ConfigError
from mmray.features.checkpoints.checkpoint import (
    NO_CODE,
    find_file,
    quiet_loading,
    read_checkpoint_file,
)

PAD, UNKNOWN = "[PAD]", "[UNK]"
TOKENIZER_FILE = "tokenizer.json"
SETTINGS_FILE = "tokenizer_config.json"
TRIAL = "a cat, é 猫 \u0378"
"""A text with characters that few vocabularies have: a broken tokenizer fails on it."""
_PAD_NAMES = (PAD, "<pad>", "<|pad|>", "<|endoftext|>")


def load_ready(model: str) -> tokenizers.Tokenizer:
    """Return the tokenizer of a local folder or a hub name."""
    path = find_file(model, TOKENIZER_FILE)
    if path is not None:
        try:
            found = tokenizers.Tokenizer.from_file(str(path))
            found.encode(TRIAL)
            return found
        except Exception as error:  # the library has no class of its own
            raise _unusable(model, error) from error
    from transformers import AutoTokenizer

    with quiet_loading():
        try:
            loaded: Any = AutoTokenizer.from_pretrained(model, **NO_CODE)
        except (OSError, ValueError, ImportError) as error:
            raise _unusable(model, error) from error
    backend = getattr(loaded, "backend_tokenizer", None)
    if backend is None:
        raise ConfigError(
            f"the tokenizer of {model!r} has no tokenizer.json and cannot be converted to one",
            hint="use a tokenizer with a tokenizer.json, or train one (leave 'tokenizer' out)",
        )
    return backend


def _unusable(model: str, error: Exception) -> ConfigError:
    return ConfigError(
        f"the tokenizer of {model!r} cannot be read: {str(error).splitlines()[0]}",
        hint="give a folder or hub name with tokenizer.json, or train one (leave 'tokenizer' out)",
    )


def pad_token(model: str) -> str | None:
    """Return the name of the padding token in the checkpoint's settings, if any."""
    path = find_file(model, SETTINGS_FILE)
    told = read_checkpoint_file(path, model).get("pad_token") if path is not None else None
    return told.get("content") if isinstance(told, dict) else told


def pad_id(tokenizer: tokenizers.Tokenizer, told: str | None) -> int | None:
    """Return the id that pads, or None when the tokenizer has none."""
    for name in (told, *_PAD_NAMES):
        found = tokenizer.token_to_id(name) if name else None
        if found is not None:
            return found
    return None


def vocabulary_size(tokenizer: tokenizers.Tokenizer, pad: int | None) -> int:
    """Return the number of ids; a tokenizer without padding gets one more."""
    return max(tokenizer.get_vocab().values()) + 1 + (pad is None)


def ready_vocabulary_size(model: str) -> int:
    """Return the number of ids of a ready tokenizer."""
    tokenizer = load_ready(model)
    return vocabulary_size(tokenizer, pad_id(tokenizer, pad_token(model)))
