"""Tokenizers: trained here, or ready ones from a folder or the hub."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import tokenizers

from mmray.core.atomic import read_json
from mmray.errors import ConfigError
from mmray.features.checkpoint import find_file, quiet_loading

PAD, UNKNOWN = "[PAD]", "[UNK]"
TOKENIZER_FILE = "tokenizer.json"
SETTINGS_FILE = "tokenizer_config.json"
_REPEATS = 1000
_PAD_NAMES = (PAD, "<pad>", "<|pad|>", "<|endoftext|>")


def train_wordpiece(texts: Iterable[str], vocabulary: int) -> tokenizers.Tokenizer:
    """Learn at most ``vocabulary`` pieces, 0 being the padding and 1 the unknown one.

    The same texts give the same tokenizer in any order.
    """
    library: Any = tokenizers
    splitter = library.pre_tokenizers.BertPreTokenizer()
    words = Counter[str]()
    for text in texts:
        words.update(word for word, _ in splitter.pre_tokenize_str(text))
    letters, inner = _alphabet(words, max(1, (vocabulary - 2) // 2))
    learner = library.Tokenizer(library.models.WordPiece(unk_token=UNKNOWN))
    learner.pre_tokenizer = splitter
    trainer = library.trainers.WordPieceTrainer(
        vocab_size=vocabulary,
        # Left to itself the trainer numbers inner letters in the random order of a hash map, and
        # equal merges then go either way. Given first they have fixed numbers.
        special_tokens=[PAD, UNKNOWN, *inner],
        initial_alphabet=letters,
        limit_alphabet=len(letters),
        show_progress=False,
    )
    learner.train_from_iterator(_repeated(words), trainer)
    pieces = sorted(learner.get_vocab().items(), key=lambda item: item[1])
    # Built anew: the trainer's own would look for the special ones in every text.
    trained = library.Tokenizer(library.models.WordPiece(dict(pieces), unk_token=UNKNOWN))
    trained.pre_tokenizer = splitter
    return trained


def _alphabet(words: Counter[str], size: int) -> tuple[list[str], list[str]]:
    """Return the commonest letters, and as pieces those of them that are seen inside of words."""
    counts = Counter[str]()
    inside: set[str] = set()
    for word, count in words.items():
        for letter in word:
            counts[letter] += count
        inside.update(word[1:])
    letters = sorted(counts, key=lambda letter: (-counts[letter], letter))[:size]
    return sorted(letters), sorted(f"##{letter}" for letter in letters if letter in inside)


def _repeated(words: Counter[str]) -> Iterator[str]:
    for word in sorted(words):
        for start in range(0, words[word], _REPEATS):
            yield " ".join([word] * min(_REPEATS, words[word] - start))


def load_ready(model: str) -> tokenizers.Tokenizer:
    """Return the tokenizer of a local folder or a hub name."""
    path = find_file(model, TOKENIZER_FILE)
    if path is not None:
        return tokenizers.Tokenizer.from_file(str(path))
    from transformers import AutoTokenizer

    with quiet_loading():
        loaded: Any = AutoTokenizer.from_pretrained(model)
    backend = getattr(loaded, "backend_tokenizer", None)
    if backend is None:
        raise ConfigError(
            f"the tokenizer of {model!r} has no tokenizer.json and cannot be converted to one",
            hint="use a tokenizer with a tokenizer.json, or train one (leave 'tokenizer' out)",
        )
    return backend


def pad_token(model: str) -> str | None:
    """Return the name of the padding token that the checkpoint's settings tell, if any."""
    path = find_file(model, SETTINGS_FILE)
    told = read_json(path).get("pad_token") if path is not None else None
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
