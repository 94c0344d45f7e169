"""Findings of check and prepare about labels and splits."""

from collections import Counter
from collections.abc import Iterator

import pyarrow as pa

from mmray.audit.class_balance import (
    absent_classes,
    describe_classes,
    few_labels,
    thin_classes,
)
from mmray.audit.class_names import odd_names
from mmray.audit.shared_payload import describe_shared
from mmray.audit.split_size import given_away, uneven_splits
from mmray.config.document import Config
from mmray.config.modality.table import TableConfig
from mmray.config.task.kind import kind_of
from mmray.core.arrow import pc
from mmray.core.kind import Split
from mmray.data.manifest.class_count import ClassCounts, class_counts
from mmray.data.manifest.column import Column
from mmray.data.manifest.label import Labels
from mmray.data.manifest.manifest import Manifest

MIN_TEXT_CHARS = 32
"""Shorter texts are often equal without being copies."""


def describe_labels(manifest: Manifest, config: Config) -> Iterator[str]:
    """Yield the classes of each task with their counts, then warnings."""
    counts = _counts(manifest, config)
    yield from (describe_classes(name, found) for name, found in counts.items())
    yield from _warnings(manifest, config, counts)


def label_warnings(manifest: Manifest, config: Config) -> Iterator[str]:
    """Yield warnings about labels, splits, and payloads in several splits."""
    yield from _warnings(manifest, config, _counts(manifest, config))


def _counts(manifest: Manifest, config: Config) -> dict[str, ClassCounts]:
    return {
        name: class_counts(labels, manifest.splits)
        for name, labels in manifest.labels.items()
        if kind_of(config.tasks[name]).has_classes
    }


def _warnings(manifest: Manifest, config: Config, counts: dict[str, ClassCounts]) -> Iterator[str]:
    found = [*given_away(config), *uneven_splits(manifest, config)]
    for name, labels in manifest.labels.items():
        task, classes = config.tasks[name], counts.get(name, {})
        found += few_labels(name, _labelled(labels, manifest), shares=kind_of(task).has_one_class)
        found += odd_names(name, {one: sum(n.values()) for one, n in classes.items()})
        found += absent_classes(name, task, classes)
        found += thin_classes(name, classes)
    yield from (f"warning: {words}" for words in found)
    yield from _shared(manifest, config)


def _labelled(labels: Labels, manifest: Manifest) -> dict[Split, int]:
    """Return the number of labelled samples of each split that has samples."""
    counts = Counter(dict.fromkeys(set(manifest.splits), 0))
    rows = zip(labels, manifest.splits, strict=True)
    counts.update(split for label, split in rows if label is not None)
    return counts


def _shared(manifest: Manifest, config: Config) -> Iterator[str]:
    """Yield warnings about payloads of val or test that train has too, by their references."""
    for name, modality in config.modalities.items():
        references = manifest.references[name]
        if isinstance(modality, TableConfig) or not isinstance(references, Column):
            continue
        cells = references.cells if references.instead is None else references.instead
        if modality.is_inline:
            is_long = pc.greater_equal(pc.utf8_length(cells), MIN_TEXT_CHARS)
            cells = pc.if_else(is_long, cells, pa.scalar(None, cells.type))
        rows = pa.table({"sample_id": pa.array(manifest.ids, pa.string()), "content": cells})
        yield from describe_shared(name, manifest, rows)
