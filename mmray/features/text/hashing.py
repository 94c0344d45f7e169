"""Columns of words by a hash, without a vocabulary."""

from collections.abc import Callable
from functools import partial
from typing import Any


def hashed_columns(size: int) -> Callable[[str], int]:
    """Return the function from a word to its column: MurmurHash3, the same on every machine.

    It is the column that scikit-learn's ``HashingVectorizer`` gives the word.
    """
    return partial(_column, size=size)


def _column(word: str, *, size: int) -> int:
    from sklearn.utils import murmurhash3_32

    hashed: Any = murmurhash3_32(word, seed=0)
    return abs(int(hashed)) % size
