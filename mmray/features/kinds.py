"""The kinds of modality: a new one is a folder with its record, and a line here."""

from typing import Any

from mmray.config.modality.modality import ModalityConfig
from mmray.features.audio.kind import AUDIO
from mmray.features.image.kind import IMAGE
from mmray.features.kind import ModalityKind
from mmray.features.series.kind import SERIES
from mmray.features.table.kind import TABLE
from mmray.features.text.kind import TEXT
from mmray.features.video.kind import VIDEO

KINDS: tuple[ModalityKind[Any], ...] = (
    TEXT,
    IMAGE,
    AUDIO,
    VIDEO,
    TABLE,
    SERIES,
)


def kind_of(config: ModalityConfig) -> ModalityKind[Any]:
    """Return the record of a modality's kind."""
    return next(kind for kind in KINDS if kind.config is type(config))
