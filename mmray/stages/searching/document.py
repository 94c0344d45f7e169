"""The document of a search: complete with its space, checked against the features, and shown."""

import logging

from mmray.config.document import Config
from mmray.core.spec import FeatureSpec
from mmray.features.spec import spec_of
from mmray.models.fit_check import check_augment, check_model
from mmray.models.pretrained_check import check_pretrained
from mmray.search.check import check_space
from mmray.search.features import searched_modalities
from mmray.search.preset.preset import Specs, search_document
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
    specs, changing = _specs(workspace), searched_modalities(config.search_section().space)

    def fits(trial: Config) -> None:
        declared = {name: spec_of(trial.modalities[name]) for name in changing}
        check_fits(trial, specs | declared)

    check_space(config, fits)


def _specs(workspace: Workspace) -> dict[str, FeatureSpec]:
    return {name: feature.spec for name, feature in workspace.extracted.features.items()}


def check_fits(config: Config, specs: Specs) -> None:
    """Refuse, as a ConfigError, a document whose model does not fit to its features."""
    encoders = {name: modality.encode for name, modality in config.modalities.items()}
    check_model(config.model, encoders, specs)
    check_pretrained(config.modalities, specs)
    check_augment(config.modalities, specs)


def show_space(config: Config) -> None:
    """Log what is searched, one line for each key."""
    space = config.search_section().space
    logger.info("the space of the search:")
    for line in describe_space(space):
        logger.info("  %s", line)
