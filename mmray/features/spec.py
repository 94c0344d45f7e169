"""The spec of a modality's features, without data, torch or transformers."""

from mmray.config.modality.modality import ModalityConfig
from mmray.core.spec import FeatureSpec
from mmray.features.kinds import kind_of


def spec_of(config: ModalityConfig) -> FeatureSpec:
    """Return the spec that the built extractor will keep."""
    return kind_of(config).spec(config)
