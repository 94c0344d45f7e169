"""An invented record for a model: nothing of a corpus leaves with a model."""

from typing import Any

from mmray.config.document import Config
from mmray.features.kinds import kind_of


def example_record(config: Config) -> dict[str, Any]:
    """Return one record: media as ``data:`` URIs, as a client would send them."""
    # In the order of kinds: a film is a film and its sound, where both are of one column.
    ordered = [config.modalities[name] for name in config.modality_order()]
    examples = [kind_of(modality).example(modality) for modality in ordered]
    return {column: cell for cells in examples for column, cell in cells.items()}
