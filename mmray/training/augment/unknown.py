"""Which ids of ``extract: tokens`` may become the unknown one."""

from typing import Any

import torch
from jaxtyping import Bool
from torch import Tensor

from mmray.errors import ConfigError
from mmray.features.text.tokenizer import load_ready, pad_id, pad_token

_NAMES = ("[UNK]", "<unk>", "[MASK]", "<mask>")


def unknown_and_droppable(source: str, vocabulary: int) -> tuple[int, Bool[Tensor, " V"]]:
    """Return the unknown id, and whether each id may become it, in our numbering (0 pads).

    What the tokenizer puts around every text stays. A tokenizer that knows all bytes may have no
    unknown token; its masking one serves as well, and one that has neither is a ConfigError.
    """
    tokenizer: Any = load_ready(source)
    pad = pad_id(tokenizer, pad_token(source))
    told = getattr(tokenizer.model, "unk_token", None)
    known = (tokenizer.token_to_id(name) for name in (told, *_NAMES) if name)
    unknown = next((number for number in known if number is not None), None)
    if unknown is None:
        raise ConfigError(
            f"the tokenizer of {source!r} has no unknown token to replace words by",
            hint="leave word_dropout out, or use another tokenizer",
        )
    droppable = torch.ones(vocabulary, dtype=torch.bool)
    droppable[0] = False
    for framing in tokenizer.encode("").ids:
        droppable[our_id(framing, pad)] = False
    return our_id(unknown, pad), droppable


def our_id(number: int, pad: int | None) -> int:
    """Return the id that ``extract: tokens`` gives for the tokenizer's ``number``."""
    if pad is None:
        return number + 1
    return {0: pad, pad: 0}.get(number, number)
