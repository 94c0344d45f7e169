"""Which sample is used for what: by hash of the id or of a group, never by row order."""

import hashlib

from mmray.config.data import SplitConfig
from mmray.core.word import Split


def split_by_hash(key: str, config: SplitConfig) -> Split:
    """Return the split of ``key``: the same on any machine, in any order, with any neighbours."""
    digest = hashlib.sha256(f"{config.seed}:{key}".encode()).digest()
    position = int.from_bytes(digest[:8]) / 2**64
    if position < config.train:
        return Split.TRAIN
    return Split.VAL if position < config.train + config.val else Split.TEST
