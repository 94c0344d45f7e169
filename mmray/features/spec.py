"""The spec of a modality's features, without data, torch or transformers."""

from pathlib import Path

from mmray.config.modality.modality import ModalityConfig
from mmray.core.spec import FeatureSpec
from mmray.features.kinds import kind_of


def spec_of(config: ModalityConfig) -> FeatureSpec:
    """Return the spec from the settings, before anything is fitted."""
    return kind_of(config).spec(config)


def fitted_spec(config: ModalityConfig, state: Path | None) -> FeatureSpec:
    """Return the spec that the extractor of this state has: at most as large as ``spec_of``."""
    return kind_of(config).fitted_spec(config, state)
