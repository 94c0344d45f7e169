"""Token ids. Axes: T tokens."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import tokenizers

from mmray.core.spec import FeatureSpec
from mmray.errors import ConfigError
from mmray.features.extractor import Feature
from mmray.features.text.tokenizer import UNKNOWN, vocabulary_size


class TokensExtractor:
    """``(T,)`` int32, at least one token and at most ``spec.shape[0]``; 0 always pads.

    A tokenizer whose padding has another id has the two swapped; one without padding has all its
    ids moved up by one.
    """

    def __init__(
        self,
        spec: FeatureSpec,
        tokenizer: tokenizers.Tokenizer,
        pad: int | None,
        decode: Callable[[bytes], str],
    ) -> None:
        size = vocabulary_size(tokenizer, pad)
        if size > spec.vocabulary:
            raise ConfigError(
                f"the tokenizer has {size} tokens, more than the {spec.vocabulary} declared",
                hint="raise extract.vocabulary, or extract anew",
            )
        self.spec = spec
        self.decode = decode
        tokenizer.no_padding()
        tokenizer.enable_truncation(spec.shape[0])
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
