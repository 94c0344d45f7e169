"""A folder per class: ``cat/001.jpg`` is a sample ``file`` with the ``label`` cat."""

import posixpath
from collections.abc import Iterator, Mapping
from typing import Any

from mmray.data.reference import FileReference
from mmray.data.source import Row, Source
from mmray.errors import ManifestError

SPLITS = {
    "train": "train", "training": "train",
    "val": "val", "valid": "val", "validation": "val", "dev": "val",
    "test": "test", "testing": "test",
}  # fmt: skip
"""What people call a split, and what we call it."""

_CLUTTER = ("thumbs.db", "desktop.ini")


def read_folders(source: Source) -> Iterator[Row]:
    """Yield a row per file, in the order of the names.

    Its id is the path below the source, its label the first folder. Where all folders are named as
    splits (``train/cat/001.jpg``) that is its ``split``, and the label is the next folder.
    """
    names = list(_file_names(source))
    has_splits = all(name.split("/", 1)[0].lower() in SPLITS for name in names)
    _check_strays(source, names)
    for name in names:
        yield source.place(name), _row(source, name, has_splits=has_splits)


def digest_folders(source: Source) -> Iterator[str]:
    """Yield where the files lie; their content has versions of its own."""
    yield source.folder
    yield from _file_names(source)


def _row(source: Source, name: str, *, has_splits: bool) -> Mapping[str, Any]:
    folders = name.split("/")[:-1]
    row = {"sample_id": name, "file": FileReference(name)}
    if has_splits:
        row["split"] = SPLITS[folders.pop(0).lower()]
    if not folders:
        raise ManifestError(
            "this file lies in no folder of a class",
            where=source.place(name),
            hint="put it into one, such as train/cat/001.jpg",
        )
    return row | {"label": folders[0]}


def _file_names(source: Source) -> Iterator[str]:
    for folder in source.folders():
        if folder.startswith("."):
            continue
        for name in source.walk(folder):
            if any(part.startswith(".") for part in name.split("/")):
                continue
            if posixpath.basename(name).lower() in _CLUTTER:
                continue
            _check_name(source, name)
            yield name


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
                where=source.place(name),
                hint="put it into one, such as cat/001.jpg, or write a manifest",
            )
