"""Training of tokenizers. The same texts give the same tokenizer in any order."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal

import tokenizers

from mmray.features.text.tokenizer import PAD, UNKNOWN

_REPEATS = 1000


def train_tokenizer(
    texts: Iterable[str],
    vocabulary: int,
    *,
    algorithm: Literal["wordpiece", "bpe"],
    whole: Sequence[str] = (),
) -> tokenizers.Tokenizer:
    """Train at most ``vocabulary`` pieces, 0 being the padding and 1 the unknown one.

    Each word of ``whole`` becomes one piece wherever it occurs.
    """
    train = train_wordpiece if algorithm == "wordpiece" else train_bpe
    library: Any = tokenizers
    pattern = re.compile("|".join(map(re.escape, whole)) or "(?!)")
    size = max(3, vocabulary - len(whole))
    trained: Any = train((pattern.sub(" ", text) for text in texts), size)
    trained.add_tokens([library.AddedToken(word, normalized=False) for word in whole])
    return trained


def train_wordpiece(texts: Iterable[str], vocabulary: int) -> tokenizers.Tokenizer:
    """Learn pieces of words: their beginnings, and with ``##`` what follows."""
    library: Any = tokenizers
    splitter = library.pre_tokenizers.BertPreTokenizer()
    written, words = Counter[str](), Counter[str]()
    for text in texts:
        written.update(text.split())
    for word, count in written.items():  # of a text, few are new
        for piece, _ in splitter.pre_tokenize_str(word):
            words[piece] += count
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


def train_bpe(texts: Iterable[str], vocabulary: int) -> tokenizers.Tokenizer:
    """Learn runs of bytes, as GPT-2 and RoBERTa do; no text has an unknown part."""
    library: Any = tokenizers
    splitter = library.pre_tokenizers.ByteLevel(add_prefix_space=True)
    words = Counter[str]()
    for text in texts:
        words.update(text.split())
    learner = library.Tokenizer(library.models.BPE(unk_token=UNKNOWN))
    learner.pre_tokenizer = splitter
    trainer = library.trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[PAD, UNKNOWN],
        initial_alphabet=sorted(splitter.alphabet()),
        show_progress=False,
    )
    learner.train_from_iterator(_repeated(words), trainer)
    model = json.loads(learner.to_str())["model"]
    merges = [tuple(pair) for pair in model["merges"]]
    # Built anew: the trainer's own would look for the special ones in every text.
    trained = library.Tokenizer(library.models.BPE(model["vocab"], merges, unk_token=UNKNOWN))
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
