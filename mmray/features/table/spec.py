"""The spec of table features."""

from mmray.config.modality.table import (
    CategoryColumn,
    SequenceColumn,
    TableConfig,
    TableVectorConfig,
)
from mmray.core.kind import Kind
from mmray.core.spec import FeatureSpec

NUMBER_SLOTS = 2
"""The number, and whether it is missing."""
DATE_SLOTS = 8
"""The time, sine and cosine of its place in the year, week and day, and whether it is missing."""
EXTRA_SLOTS = 2
"""Slots of a category or sequence column besides its names: unknown, and missing."""


def table_spec(config: TableConfig, extract: TableVectorConfig) -> FeatureSpec:
    """Return the spec from the settings; a column with fewer names and ids makes it smaller."""
    slots = sum(category_slots(c, extract) for c in config.categories)
    slots += sum(sequence_slots(c, extract) for c in config.sequences)
    return spec_with(config, slots)


def spec_with(config: TableConfig, slots: int) -> FeatureSpec:
    """Return the spec of these columns with so many slots for names and ids."""
    width = NUMBER_SLOTS * len(config.numbers) + DATE_SLOTS * len(config.dates)
    width += EXTRA_SLOTS * (len(config.categories) + len(config.sequences))
    return FeatureSpec(Kind.TABLE, "vector", (width + slots,), "float32")


def category_slots(column: CategoryColumn, extract: TableVectorConfig) -> int:
    """Return how many names of a category column have a slot of their own, at most."""
    return column.max_categories or extract.max_categories


def sequence_slots(column: SequenceColumn, extract: TableVectorConfig) -> int:
    """Return how many ids of a sequence column have a slot of their own, at most."""
    return column.vocabulary or extract.vocabulary
