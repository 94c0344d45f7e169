"""Which training is asked for; loads no torch, so that who only passes it on starts fast."""

from dataclasses import dataclass

from mmray.config.document import Config


@dataclass(frozen=True, slots=True)
class RunPlan:
    """One training: which modalities, which seed, from where, to where."""

    name: str
    config: Config
    manifest: str
    features: dict[str, str]
    """Modality -> feature folder, in M-axis order; a part of the document's is enough."""
    seed: int
    folder: str
