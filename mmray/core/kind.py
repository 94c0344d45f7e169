"""The words that every part shares: kinds of modality, splits, stages."""

from enum import StrEnum


class Kind(StrEnum):
    """The kinds of modality, in the order of the M axis."""

    TEXT = "text"
    IMAGE = "image"
    AUDIO = "audio"
    VIDEO = "video"
    TABLE = "table"
    SERIES = "series"


class Split(StrEnum):
    """The use of a sample."""

    TRAIN = "train"
    VAL = "val"
    TEST = "test"


def axis_order(kinds: dict[str, Kind]) -> tuple[str, ...]:
    """Return modality names in the order of the M axis: by kind, then by name."""
    ranks = {kind: rank for rank, kind in enumerate(Kind)}
    return tuple(sorted(kinds, key=lambda name: (ranks[kinds[name]], name)))
