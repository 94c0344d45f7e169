"""From a raw table and the document to a checked manifest."""

import difflib
from collections.abc import Mapping
from typing import Any

from mmray.config.document import Config
from mmray.config.modality import ModalityConfig
from mmray.core.fingerprint import fingerprint
from mmray.core.word import Split
from mmray.data.cell import is_missing, name_of
from mmray.data.label import check_classes, read_labels
from mmray.data.manifest import Manifest
from mmray.data.reference import Reference, reference_of
from mmray.data.split import split_by_hash
from mmray.data.table import RawTable
from mmray.errors import ManifestError
from mmray.media.place import check_reference


def normalise(table: RawTable, config: Config) -> Manifest:
    """Check every row against the document; the first problem is a ManifestError with its place."""
    _check_columns(table, config)
    references = {
        name: [
            _reference(modality, row, place)
            for row, place in zip(table.rows, table.places, strict=True)
        ]
        for name, modality in config.modalities.items()
    }
    _check_references(references, table, config)
    labels = read_labels(table, config)
    ids = _sample_ids(table, config, references)
    splits = _splits(table, config, ids)
    check_classes(labels, splits, config, table)
    return Manifest(
        folder=table.folder,
        ids=ids,
        splits=splits,
        references=references,
        labels=labels,
    )


def _check_columns(table: RawTable, config: Config) -> None:
    columns = table.columns()
    split = config.data.split
    optional = {
        "data.id": config.data.id,
        "data.split.group": split.group,
        "data.split.column": split.column,
    }
    wanted = [(f"modalities.{n}", c) for n, m in config.modalities.items() for c in m.columns]
    wanted += [(f"tasks.{n}.column", t.column) for n, t in config.tasks.items() if t.column]
    wanted += [(key, column) for key, column in optional.items() if column]
    for key, column in wanted:
        if column not in columns:
            close = difflib.get_close_matches(column, columns, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(columns)}"
            raise ManifestError(
                f"the manifest has no column {column!r}, which {key!r} names",
                where=table.uri,
                hint=hint,
            )


def _reference(modality: ModalityConfig, row: Mapping[str, Any], place: str) -> Reference | None:
    try:
        return reference_of(modality, row)
    except ValueError as error:
        raise ManifestError(
            str(error), where=place, hint="write a missing payload as null or leave it empty"
        ) from None


def _check_references(
    references: Mapping[str, list[Reference | None]], table: RawTable, config: Config
) -> None:
    for name, modality in config.modalities.items():
        if modality.is_inline:
            continue
        for value, place in zip(references[name], table.places, strict=True):
            if not isinstance(value, str):
                continue
            problem = check_reference(value, table.folder, config.data.allow)
            if problem:
                raise ManifestError(
                    f"{', '.join(modality.columns)}: {problem}",
                    where=place,
                    hint="put the file below the manifest's folder, or list its folder or URI "
                    "prefix under 'data.allow'",
                )


def _sample_ids(
    table: RawTable, config: Config, references: Mapping[str, list[Reference | None]]
) -> list[str]:
    column = config.data.id or ("sample_id" if "sample_id" in table.columns() else None)
    if column is None:
        payloads = zip(*(references[name] for name in sorted(references)), strict=True)
        ids = [fingerprint([repr(reference) for reference in row]) for row in payloads]
    else:
        ids = [
            _explicit_id(row.get(column), column, place)
            for row, place in zip(table.rows, table.places, strict=True)
        ]
    seen: dict[str, str] = {}
    for sample_id, place in zip(ids, table.places, strict=True):
        if sample_id in seen:
            what = f"{column} {sample_id!r}" if column else "a sample with the same payloads"
            raise ManifestError(
                f"{what} appears twice",
                where=f"{seen[sample_id]} and {place}",
                hint="ids must be unique; 'data.id' names their column",
            )
        seen[sample_id] = place
    return ids


def _explicit_id(value: object, column: str, place: str) -> str:
    if is_missing(value):
        raise ManifestError(
            f"a sample has no {column!r}", where=place, hint="every row needs an id"
        )
    return name_of(value)


def _splits(table: RawTable, config: Config, ids: list[str]) -> list[Split]:
    split = config.data.split
    if split.column is None:
        keys = ids
        if split.group is not None:
            # A sample without a group is a group of its own.
            groups = [row.get(split.group) for row in table.rows]
            keys = [
                ids[row] if is_missing(group) else name_of(group)
                for row, group in enumerate(groups)
            ]
        splits = [split_by_hash(key, split) for key in keys]
    else:
        splits = [
            _explicit_split(row.get(split.column), split.column, place)
            for row, place in zip(table.rows, table.places, strict=True)
        ]
    if Split.TRAIN not in splits:
        raise ManifestError(
            "no sample is in the train split",
            where=table.uri,
            hint="see 'data.split': its shares, its group or its column",
        )
    return splits


def _explicit_split(value: object, column: str, place: str) -> Split:
    if isinstance(value, str) and value in set(Split):
        return Split(value)
    raise ManifestError(
        f"{column}: {value!r} is not a split", where=place, hint="write train, val or test"
    )
