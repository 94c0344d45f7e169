"""Whether the splits have labels enough of every class to learn from and to measure on."""

from collections.abc import Iterator

from mmray.config.task.task import (
    BinaryConfig,
    ClassificationConfig,
    MultilabelConfig,
    OrdinalConfig,
)
from mmray.core.kind import Split
from mmray.core.text.nearest import listed, shortened
from mmray.data.manifest.class_count import ClassCounts

ShareTask = ClassificationConfig | BinaryConfig | OrdinalConfig
ListedTask = ClassificationConfig | MultilabelConfig | OrdinalConfig
FEW_LABELS = 30
"""Of fewer, an accuracy is known to 18 points or worse either way."""
FEW_OF_CLASS = 5
SHOWN = 5
"""Classes that a warning names."""


def describe_classes(name: str, counts: ClassCounts) -> str:
    """Return how many samples of train, val and test each class has, the commonest first."""
    shown = [
        f"{shortened(one)!r} {'/'.join(str(by_split.get(split, 0)) for split in Split)}"
        for one, by_split in counts.items()
    ]
    noun = "classes" if len(counts) != 1 else "class"
    return f"{name}: {len(counts):,} {noun} (train/val/test): {listed(shown)}"


def thin_classes(name: str, counts: ClassCounts) -> Iterator[str]:
    """Yield classes of one sample, and those with too few in test."""
    single = [
        repr(shortened(one)) for one, by_split in counts.items() if sum(by_split.values()) == 1
    ]
    if single:
        yield (
            f"{name}: {_classes(len(single))} one sample, and no figure can say how well it is "
            f"found: {listed(single, limit=SHOWN)}"
        )
    if not any(by_split.get(Split.TEST) for by_split in counts.values()):
        return
    few = {
        one: by_split.get(Split.TEST, 0)
        for one, by_split in counts.items()
        if by_split.get(Split.TEST, 0) < FEW_OF_CLASS and sum(by_split.values()) > 1
    }
    if few:
        told = [f"{shortened(one)!r} ({n})" for one, n in sorted(few.items(), key=_by_count)]
        yield (
            f"{name}: {_classes(len(few))} fewer than {FEW_OF_CLASS} samples in test, so their "
            f"figures are chance: {listed(told, limit=SHOWN)}"
        )


def absent_classes(name: str, task: object, counts: ClassCounts) -> Iterator[str]:
    """Yield classes that the document lists and no sample of train has."""
    classes = task.classes if isinstance(task, ListedTask) else None
    absent = [one for one in classes or () if not counts.get(one, {}).get(Split.TRAIN)]
    if absent:
        yield (
            f"{name}: {_classes(len(absent))} no sample in train, and cannot be learnt: "
            f"{listed([repr(shortened(one)) for one in absent], limit=SHOWN)}"
        )


def few_labels(name: str, labelled: dict[Split, int], *, shares: bool) -> Iterator[str]:
    """Yield held-out splits with no label, or with few; ``shares``: figures are shares of them."""
    for split in (Split.VAL, Split.TEST):
        count = labelled.get(split)
        if count == 0:
            yield f"{name}: no sample of {split} has a label, so nothing can be measured on it"
        elif count is not None and count < FEW_LABELS:
            points = f"; an accuracy of so few is known to {98 / count**0.5:.0f} points either way"
            only = "only 1 sample" if count == 1 else f"only {count} samples"
            yield f"{name}: {only} of {split} can be measured on{points if shares else ''}"


def _by_count(pair: tuple[str, int]) -> tuple[int, str]:
    return pair[1], pair[0]


def _classes(count: int) -> str:
    return "1 class has" if count == 1 else f"{count:,} classes have"
