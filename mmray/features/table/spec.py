"""The spec of table features, from the settings alone."""

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
    """Return the spec that the built extractor will keep."""
    width = NUMBER_SLOTS * len(config.numbers) + DATE_SLOTS * len(config.dates)
    width += sum(category_slots(c, extract) + EXTRA_SLOTS for c in config.categories)
    width += sum(sequence_slots(c, extract) + EXTRA_SLOTS for c in config.sequences)
    return FeatureSpec(Kind.TABLE, "vector", (width,), "float32")


def category_slots(column: CategoryColumn, extract: TableVectorConfig) -> int:
    """Return how many names of a category column have a slot of their own."""
    return column.max_categories or extract.max_categories


def sequence_slots(column: SequenceColumn, extract: TableVectorConfig) -> int:
    """Return how many ids of a sequence column have a slot of their own."""
    return column.vocabulary or extract.vocabulary
