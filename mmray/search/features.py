"""Settings of extraction in a space: the features that trials need, each extracted once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain

from mmray.config.document import Config
from mmray.config.modality.modality import ModalityConfig
from mmray.core.fingerprint import fingerprint
from mmray.search.sample import apply_sample
from mmray.search.space import Space, grid

SECTIONS = ("decode", "clean", "extract")
"""Sections of a modality that decide what its features are."""
TRAINED = {"encode", "augment"}
"""Keys of a modality that do not."""


@dataclass(frozen=True, slots=True)
class FeatureFolders:
    """The feature folders of all settings that trials may have."""

    folders: Mapping[str, Mapping[str, str]]
    """Modality -> name of its settings -> folder."""

    def of(self, config: Config) -> dict[str, str]:
        """Return the folders for a trial's document, in M-axis order."""
        return {
            name: self.folders[name][features_key(config.modalities[name])]
            for name in config.modality_order()
        }


def is_of_features(key: str) -> bool:
    """Return whether a key of the document changes features."""
    parts = key.split(".")
    return len(parts) > 2 and parts[0] == "modalities" and parts[2] in SECTIONS


def features_key(modality: ModalityConfig) -> str:
    """Name a modality's features by its settings."""
    return fingerprint(modality.model_dump(mode="json", exclude=TRAINED))


def searched_modalities(space: Space) -> list[str]:
    """Return the modalities whose features differ from trial to trial."""
    return list(dict.fromkeys(key.split(".")[1] for key in space if is_of_features(key)))


def feature_documents(config: Config) -> list[Config]:
    """Return documents that together have every setting of each modality's features.

    The first is the document itself. There are as many as the modality with the most settings has,
    not as many as combinations: the next document has the next setting of every modality.
    """
    space = config.search.space if config.search else {}
    settings = {
        name: _settings(config, {key: space[key] for key in space if _is_of(name, key)}, name)
        for name in searched_modalities(space)
    }
    own = apply_sample(config, {})
    documents = [own]
    for number in range(max((len(each) for each in settings.values()), default=0)):
        changed = {name: each[number] for name, each in settings.items() if number < len(each)}
        modalities = {**own.modalities, **changed}
        documents.append(own.model_copy(update={"modalities": modalities}))
    return documents


def count_extractions(documents: Iterable[Config]) -> int:
    """Return how many modalities have to be extracted, besides those of the first document."""
    own, *others = documents
    known = {features_key(modality) for modality in own.modalities.values()}
    found = chain.from_iterable(each.modalities.values() for each in others)
    return len({features_key(modality) for modality in found} - known)


def _is_of(name: str, key: str) -> bool:
    return is_of_features(key) and key.split(".")[1] == name


def _settings(config: Config, space: Space, name: str) -> list[ModalityConfig]:
    """Return a modality with each distinct setting that the document does not have."""
    found = {features_key(config.modalities[name]): config.modalities[name]}
    for sample in grid(space):
        modality = apply_sample(config, sample).modalities[name]
        found.setdefault(features_key(modality), modality)
    return list(found.values())[1:]
