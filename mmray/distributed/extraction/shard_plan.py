"""The work of an actor; loads none of the libraries that do it."""

from dataclasses import dataclass

from mmray.config.modality.modality import ModalityConfig
from mmray.core.spec import FeatureSpec
from mmray.media.source import MAX_READ_S, PayloadReader


@dataclass(frozen=True, slots=True)
class ExtractionPlan:
    """Everything that an actor needs to know about one modality."""

    name: str
    config: ModalityConfig
    spec: FeatureSpec
    state: str | None
    """Folder of what was fitted on the train split."""
    output: str
    corpus: str
    """The base of relative references."""
    allow: tuple[str, ...]
    max_payload_bytes: int
    max_decode_s: float
    max_read_s: float = MAX_READ_S

    def reader(self) -> PayloadReader:
        """Return what reads this modality's payloads."""
        return PayloadReader(
            roots=self.allow,
            folder=self.corpus,
            max_bytes=self.max_payload_bytes,
            max_read_s=self.max_read_s,
        )
