"""Labels that no training could use are errors before any work."""

from collections.abc import Iterable, Mapping, Sequence

from mmray.config.document import Config
from mmray.config.task.kind import kind_of, listed_classes
from mmray.config.task.task import TaskConfig
from mmray.core.kind import Split
from mmray.core.label.order import ordered
from mmray.core.label.positive import positive_of
from mmray.core.text.nearest import listed, nearest, shortened
from mmray.data.manifest.class_count import class_counts, names_of
from mmray.data.manifest.label import Labels
from mmray.errors import ManifestError


def check_labels(
    labels: Mapping[str, Labels],
    splits: Sequence[Split],
    config: Config,
    *,
    uri: str,
    locations: Iterable[str],
) -> None:
    """Refuse a task without labels to learn from, and classes that the train split lacks.

    ``locations`` are those of the rows in the manifest at ``uri``.
    """
    for name, found in labels.items():
        _check_any(name, config.tasks[name].column, found, splits, uri)
    for name, task in config.tasks.items():
        if name in labels and kind_of(task).has_known_classes:
            seen = _in_train(labels[name], splits)
            _check_train_classes(name, task, seen, uri)
            _check_known(name, task, labels[name], seen, locations)


def check_two_classes(
    labels: Mapping[str, Labels], splits: Sequence[Split], config: Config
) -> None:
    """Refuse a train split of one class for a task that distinguishes classes."""
    for name, task in config.tasks.items():
        if name not in labels or not kind_of(task).needs_two_classes:
            continue
        seen = _in_train(labels[name], splits)
        if len(listed_classes(task) or seen) < 2:
            raise ManifestError(
                f"{task.column}: the train split has one class only: {listed(seen)}",
                where=config.data.manifest,
                hint=f"the task {name!r} needs two: check the column, and 'data.split'",
            )


def _check_any(
    name: str, column: str | None, labels: Labels, splits: Sequence[Split], uri: str
) -> None:
    labelled = [split for label, split in zip(labels, splits, strict=True) if label is not None]
    if Split.TRAIN in labelled:
        return
    of = " of the train split" if labelled else ""
    raise ManifestError(
        f"no sample{of} has a label for the task {name!r} (column {column!r})",
        where=uri,
        hint="see 'data.split'" if labelled else "check the column's name and its cells",
    )


def _in_train(labels: Labels, splits: Sequence[Split]) -> dict[str, int]:
    """Return the classes of the train split with their counts, sorted by name."""
    counts = class_counts(labels, splits)
    return {name: n for name in sorted(counts) if (n := counts[name].get(Split.TRAIN, 0))}


def _check_train_classes(name: str, task: TaskConfig, seen: Mapping[str, int], uri: str) -> None:
    kind, listed_ones = kind_of(task), listed_classes(task)
    if kind.label == "classes" and not (listed_ones or seen):
        raise ManifestError(
            f"{task.column}: no sample of the train split has any class",
            where=uri,
            hint=f"all its lists are empty; check 'tasks.{name}.column' and 'data.split'",
        )
    if kind.positive is not None:
        _check_two(name, task, kind.positive(task), seen, uri)
    if kind.has_ordered_classes and listed_ones is None and ordered(seen) is None:
        raise ManifestError(
            f"{task.column}: the order of {listed(seen)} is not known",
            where=uri,
            hint=f"list them, lowest first, in 'tasks.{name}.classes'",
        )


def _check_known(
    name: str, task: TaskConfig, labels: Labels, seen: Mapping[str, int], locations: Iterable[str]
) -> None:
    """Refuse a class that is neither listed nor in train, with the row that has it first."""
    classes = listed_classes(task)
    known = set(classes or seen)
    unknown: dict[str, str] = {}
    for label, location in zip(labels, locations, strict=True):
        for one in names_of(label):
            if one not in known:
                unknown.setdefault(one, location)
    if not unknown:
        return
    first, location = next(iter(unknown.items()))
    more = f" and {len(unknown) - 1:,} more" if len(unknown) > 1 else ""
    what = "unknown class" if classes else "no sample of the train split has the class"
    raise ManifestError(
        f"{task.column}: {what} {shortened(first)!r}{more}",
        where=location,
        hint=_unknown_hint(name, task, first, seen),
    )


def _unknown_hint(name: str, task: TaskConfig, unknown: str, seen: Mapping[str, int]) -> str:
    classes = listed_classes(task)
    known = classes or tuple(seen)
    close = nearest(unknown, known)
    meant = f"did you mean {shortened(close)!r}?" if close else ""
    if classes:
        return meant or f"'tasks.{name}.classes' has: {listed(classes)}"
    if kind_of(task).listed is None:
        return meant or f"the train split has: {listed(known)}; see 'data.split'"
    way_out = f"list all classes in 'tasks.{name}.classes', or change 'data.split'"
    return f"{meant} Else {way_out}" if meant else way_out


def _check_two(
    name: str, task: TaskConfig, given: str | None, seen: Mapping[str, int], uri: str
) -> None:
    told = listed([f"{label!r} ({count} times)" for label, count in seen.items()])
    if len(seen) > 2:
        raise ManifestError(
            f"{task.column}: a binary task has two labels, the train split has {told}",
            where=uri,
            hint=f"use 'tasks.{name}.kind: classification', or correct the labels",
        )
    if len(seen) == 2 and positive_of(given, seen) is None:
        named = f"{given!r} is not one of them" if given else "which is positive?"
        hint = f"name one of them in 'tasks.{name}.positive'"
        if given in ("true", "false"):
            hint += "; YAML reads yes, no, on and off as true and false: quote it, as in 'yes'"
        raise ManifestError(f"{task.column}: the labels are {told}: {named}", where=uri, hint=hint)
