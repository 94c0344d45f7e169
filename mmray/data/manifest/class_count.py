"""How many samples of each split have each class."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from mmray.core.kind import Split
from mmray.core.label.cell import Label
from mmray.data.manifest.label import Labels

ClassCounts = Mapping[str, Mapping[Split, int]]


def class_counts(labels: Labels, splits: Sequence[Split]) -> ClassCounts:
    """Return the samples of every class by split, the commonest class first, then by name."""
    pairs = Counter(
        (name, split)
        for label, split in zip(labels, splits, strict=True)
        for name in names_of(label)
    )
    counts: dict[str, Counter[Split]] = {}
    for (name, split), count in pairs.items():
        counts.setdefault(name, Counter())[split] += count
    names = sorted(counts, key=lambda name: (-counts[name].total(), name))
    return {name: counts[name] for name in names}


def names_of(label: Label | None) -> Iterator[str]:
    """Yield the classes of one sample."""
    if isinstance(label, list):
        yield from label
    elif label is not None:
        yield str(label)
