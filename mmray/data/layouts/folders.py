"""A folder per class: ``cat/001.jpg`` is a sample ``file`` with the ``label`` cat.

Files of several kinds with one name, ``cat/001.wav`` and ``cat/001.txt``, are one sample.
"""

import posixpath
from collections.abc import Iterable, Iterator
from typing import Any

from mmray.core.file.suffix import kind_of_name
from mmray.core.process.lock import WORKSPACE_LOCK
from mmray.data.manifest.reference import FileReference
from mmray.data.sources.source import Row, Source
from mmray.errors import ManifestError

SPLITS = {
    "train": "train", "training": "train",
    "val": "val", "valid": "val", "validation": "val", "dev": "val",
    "test": "test", "testing": "test",
}  # fmt: skip
"""Names of splits, and mmray's names for them."""

_CLUTTER = ("thumbs.db", "desktop.ini")


def read_folders(source: Source) -> Iterator[Row]:
    """Yield a row per file, in the order of the names.

    Its id is the path below the source, its label the first folder. Where all folders are named as
    splits (``train/cat/001.jpg``) that is its ``split``, and the label is the next folder. Where
    files of several kinds have one name, a row has a column for each kind, and its id no ending.
    """
    names = list(_file_names(source))
    has_splits = all(name.split("/", 1)[0].lower() in SPLITS for name in names)
    _check_strays(source, names)
    rows = _joined(source, names) if _are_joined(names) else ((n, {"file": n}) for n in names)
    for sample_id, files in rows:
        first = next(iter(files.values()))
        cells: dict[str, Any] = {c: FileReference(name) for c, name in files.items()}
        location = _location(source, first, has_splits=has_splits)
        yield source.location(first), {"sample_id": sample_id} | cells | location


def level_note(uri: str, names: Iterable[str]) -> str | None:
    """Return a hint if all files lie below one folder that has folders: a level too deep."""
    first, others = "", set[str]()
    for name in names:
        folders = name.split("/")[:-1]
        if len(folders) < 2 or (first and folders[0] != first):
            return None
        first = folders[0]
        others.add(folders[1])
    if len(others) < 2:
        return None
    return (
        f"all files lie below {first!r}, which is the only class; if the {len(others)} folders in "
        f"it are the classes, write 'data.manifest: {uri.rstrip('/')}/{first}'"
    )


def _are_joined(names: Iterable[str]) -> bool:
    kinds: dict[str, object] = {}
    for name in names:
        kind = kind_of_name(name)
        if kind is not None and kinds.setdefault(posixpath.splitext(name)[0], kind) != kind:
            return True
    return False


def _joined(source: Source, names: Iterable[str]) -> Iterable[tuple[str, dict[str, str]]]:
    """Return the files of each sample by kind, or by extension if that has no kind."""
    rows: dict[str, dict[str, str]] = {}
    for name in names:
        stem, ending = posixpath.splitext(name)
        files = rows.setdefault(stem, {})
        column = kind_of_name(name) or ending[1:].lower() or "file"
        if column in files:
            raise ManifestError(
                f"the sample {stem!r} has two files that are {column}",
                where=f"{source.location(files[column])} and {source.location(name)}",
                hint="files of one name and several kinds are one sample; rename one of them",
            )
        files[str(column)] = name
    return rows.items()


def digest_folders(source: Source) -> Iterator[str]:
    """Yield the files by name; their content has versions of its own."""
    yield from _file_names(source)


def _location(source: Source, name: str, *, has_splits: bool) -> dict[str, str]:
    """Return the split and the label that the folders of a file say."""
    folders = name.split("/")[:-1]
    split = {"split": SPLITS[folders.pop(0).lower()]} if has_splits else {}
    if not folders:
        raise ManifestError(
            "this file lies in no folder of a class",
            where=source.location(name),
            hint="put it into one, such as train/cat/001.jpg",
        )
    return split | {"label": folders[0]}


def _file_names(source: Source) -> Iterator[str]:
    for folder in source.folders():
        if folder.startswith("."):
            continue
        names = source.walk(folder)
        ours = [name[: -len(WORKSPACE_LOCK)] for name in names if _is_lock(name)]
        for name in names:
            if name.startswith(tuple(ours)):
                continue  # of a workspace that lies in the corpus
            if any(part.startswith(".") for part in name.split("/")):
                continue
            if posixpath.basename(name).lower() in _CLUTTER:
                continue
            _check_name(source, name)
            yield name


def _is_lock(name: str) -> bool:
    return posixpath.basename(name) == WORKSPACE_LOCK


def _check_name(source: Source, name: str) -> None:
    try:
        name.encode()
    except UnicodeEncodeError:
        raise ManifestError(
            f"the name {name!r} is not UTF-8", where=source.uri, hint="rename the file"
        ) from None


def _check_strays(source: Source, names: list[str]) -> None:
    """Refuse a file beside the classes that looks like a sample; a README is no sample."""
    suffixes = {posixpath.splitext(name)[1].lower() for name in names}
    for name in source.names():
        if not name.startswith(".") and posixpath.splitext(name)[1].lower() in suffixes:
            raise ManifestError(
                "this file lies in no folder of a class",
                where=source.location(name),
                hint="put it into one, such as cat/001.jpg, or write a manifest",
            )
