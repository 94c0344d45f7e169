"""The document of a search: complete with its space, checked against the features, and shown."""

import logging
from collections.abc import Mapping
from pathlib import Path

from mmray.config.document import Config
from mmray.config.modality.modality import ModalityConfig
from mmray.config.model.pretrained import PretrainedConfig
from mmray.core.fingerprint import fingerprint
from mmray.core.spec import FeatureSpec
from mmray.features.spec import spec_of
from mmray.models.fit_check import check_augment, check_model
from mmray.models.pretrained_check import check_pretrained
from mmray.search.check import check_space
from mmray.search.features import features_key, searched_modalities
from mmray.search.preset.preset import search_document
from mmray.search.space_text import describe_space
from mmray.stages.workspace import Workspace

logger = logging.getLogger(__name__)


def complete_document(workspace: Workspace) -> Config:
    """Return the document with all of its search section, the space that a preset makes too."""
    extracted = workspace.extracted
    samples = extracted.report["counts"]["usable_by_split"]["train"]
    return search_document(workspace.config, _specs(workspace), samples)


def check_samples(config: Config, workspace: Workspace) -> None:
    """Refuse, as a ConfigError, a space with a sample that is no valid document."""
    check_samples_for(config, _specs(workspace))


def check_samples_for(config: Config, specs: Mapping[str, FeatureSpec]) -> None:
    """Refuse the same, where no features are there yet but what they will be is known."""
    changing = searched_modalities(config.search_section().space)
    known: set[str] = set()

    def fits(trial: Config) -> None:
        declared = {name: spec_of(trial.modalities[name]) for name in changing}
        every = {**specs, **declared}
        encoders = {name: modality.encode for name, modality in trial.modalities.items()}
        check_model(trial.model, encoders, every)
        check_augment(trial.modalities, every)
        # Reading a checkpoint's files takes a while: once for each way to use it.
        new = {
            name: spec
            for name, spec in every.items()
            if (use := _checkpoint_use(trial.modalities[name])) and use not in known
        }
        check_pretrained(trial.modalities, new)
        known.update(_checkpoint_use(trial.modalities[name]) for name in new)

    check_space(config, fits)


def _checkpoint_use(modality: ModalityConfig) -> str:
    """Name what decides whether a checkpoint fits to its features; empty if there is none."""
    encode = modality.encode
    if not isinstance(encode, PretrainedConfig):
        return ""
    return fingerprint(encode.model, encode.tune, encode.layers, features_key(modality))


def _specs(workspace: Workspace) -> dict[str, FeatureSpec]:
    return {name: feature.spec for name, feature in workspace.extracted.features.items()}


def show_space(config: Config) -> None:
    """Log what is searched, one line for each key."""
    space = config.search_section().space
    logger.info("the space of the search:")
    for line in describe_space(space):
        logger.info("  %s", line)


def take_over_results(config: Config, workspace: Workspace, folder: Path) -> None:
    """Let the results of the workspace's earlier searches guide the sampler of a new one."""
    from mmray.search.earlier import LEARNING, earlier_trials, warm_start, write_origin

    search, features = config.search_section(), workspace.extracted.mark
    write_origin(folder, config, features)
    if not search.warm_start or search.sampler not in LEARNING:
        return
    count = warm_start(folder, search, earlier_trials(folder, config, features))
    if count:
        logger.info("%d results of earlier searches guide the sampler", count)
