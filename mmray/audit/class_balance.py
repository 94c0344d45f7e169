"""Whether the splits have enough labels of every class to train and to evaluate."""

from collections.abc import Iterator

from mmray.config.task.kind import listed_classes
from mmray.config.task.task import TaskConfig
from mmray.core.kind import Split
from mmray.core.text.nearest import listed, shortened
from mmray.data.manifest.class_count import ClassCounts

FEW_LABELS = 30
"""With fewer, the error of an accuracy is 18 points or more."""
FEW_OF_CLASS = 5
SHOWN = 5
"""Most classes that a warning names."""


def describe_classes(name: str, counts: ClassCounts) -> str:
    """Return the samples of each class in train, val and test, commonest first."""
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
            f"{name}: {_classes(len(single))} only one sample, so no figure about it "
            f"is possible: {listed(single, limit=SHOWN)}"
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
            f"{name}: {_classes(len(few))} fewer than {FEW_OF_CLASS} samples in test, so "
            f"figures are unreliable: {listed(told, limit=SHOWN)}"
        )


def absent_classes(name: str, task: TaskConfig, counts: ClassCounts) -> Iterator[str]:
    """Yield classes that the document lists but train lacks."""
    absent = [one for one in listed_classes(task) or () if not counts.get(one, {}).get(Split.TRAIN)]
    if absent:
        yield (
            f"{name}: {_classes(len(absent))} no sample in train, and cannot be learned: "
            f"{listed([repr(shortened(one)) for one in absent], limit=SHOWN)}"
        )


def few_labels(name: str, labelled: dict[Split, int], *, shares: bool) -> Iterator[str]:
    """Yield held-out splits with no or few labels; ``shares``: their figures are shares."""
    for split in (Split.VAL, Split.TEST):
        count = labelled.get(split)
        if count == 0:
            yield f"{name}: no sample of {split} has a label, so the task cannot be evaluated on it"
        elif count is not None and count < FEW_LABELS:
            points = (
                f"; with so few an accuracy is uncertain by {98 / count**0.5:.0f} points either way"
            )
            only = "only 1 sample" if count == 1 else f"only {count} samples"
            yield f"{name}: {only} of {split} can be evaluated on{points if shares else ''}"


def _by_count(pair: tuple[str, int]) -> tuple[int, str]:
    return pair[1], pair[0]


def _classes(count: int) -> str:
    return "1 class has" if count == 1 else f"{count:,} classes have"
