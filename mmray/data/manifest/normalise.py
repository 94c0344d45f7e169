"""From a raw table and the document to a checked manifest."""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from mmray.config.document import Config
from mmray.config.modality.modality import ModalityConfig
from mmray.core.fingerprint import fingerprint
from mmray.core.kind import Split
from mmray.core.label.cell import Label, is_missing
from mmray.core.text.nearest import did_you_mean
from mmray.data.manifest.column import Gathered
from mmray.data.manifest.label import label_type, read_labels
from mmray.data.manifest.label_check import check_labels
from mmray.data.manifest.manifest import GatheredReferences, Manifest
from mmray.data.manifest.reference import Reference, reference_of
from mmray.data.manifest.sample_id import unique_ids
from mmray.data.split.split import GatheredSplits
from mmray.data.table.cell import name_of
from mmray.data.table.corpus_note import CorpusNotes
from mmray.data.table.table import Chunk, RawTable
from mmray.errors import ManifestError
from mmray.media.location import check_reference


def normalise(table: RawTable, config: Config) -> Manifest:
    """Check every row against the document; the first problem is a ManifestError with its place."""
    samples = _Samples(table, config)
    chunks = table.chunks()
    for chunk in chunks:
        try:
            samples.add(chunk)
        except ManifestError:
            deque(chunks, maxlen=0)
            _check_columns(table, config)  # one that is nowhere explains it better
            raise
    _check_columns(table, config)
    return samples.manifest()


class _Samples:
    """The state of the rows read so far."""

    def __init__(self, table: RawTable, config: Config) -> None:
        self._table, self._config = table, config
        self._id_column = config.data.id
        self._ids = Gathered[str](pa.string())
        self._locations = Gathered[str](pa.string())
        self._splits = GatheredSplits(config.data.split)
        self._notes = CorpusNotes(table, config)
        self._references = {name: GatheredReferences() for name in config.modalities}
        self._labels = {
            name: Gathered[Label | None](label_type(task))
            for name, task in config.tasks.items()
            if task.column is not None
        }

    def add(self, chunk: Chunk) -> None:
        """Check some rows and keep what counts."""
        config = self._config
        self._notes.add(chunk)
        references = {
            name: [
                _reference(modality, row, location)
                for row, location in zip(chunk.rows, chunk.locations, strict=True)
            ]
            for name, modality in config.modalities.items()
        }
        _check_references(references, chunk.locations, self._table.folder, config)
        labels = read_labels(chunk, config)
        ids = self._sample_ids(chunk, references)
        self._splits.add(chunk)
        self._ids.add(ids)
        self._locations.add(chunk.locations)
        for name, found in references.items():
            self._references[name].add(found)
        for name, found in labels.items():
            self._labels[name].add(found)

    def _sample_ids(
        self, chunk: Chunk, references: Mapping[str, list[Reference | None]]
    ) -> list[str]:
        if self._id_column is None and "sample_id" in self._table.columns():
            self._id_column = "sample_id"
            for location in self._locations:
                raise _no_id("sample_id", location)
        if self._id_column is None:
            payloads = zip(*(references[name] for name in sorted(references)), strict=True)
            return [fingerprint([repr(reference) for reference in row]) for row in payloads]
        return [
            _explicit_id(row.get(self._id_column), self._id_column, location)
            for row, location in zip(chunk.rows, chunk.locations, strict=True)
        ]

    def manifest(self) -> Manifest:
        """Check the rows together, and return them."""
        given = self._ids.column()
        ids = unique_ids(given, self._locations, self._id_column)
        labels = {name: found.column() for name, found in self._labels.items()}
        # Samples that have the same payloads, and no ids of their own, stay together.
        keys = self._splits.keys(given)
        splits = self._splits.splits(keys, labels)
        if Split.TRAIN not in splits:
            raise ManifestError(
                "no sample is in the train split",
                where=self._table.uri,
                hint="see 'data.split': its shares, its group or its column",
            )
        check_labels(labels, splits, self._config, uri=self._table.uri, locations=self._locations)
        return Manifest(
            folder=self._table.folder,
            ids=ids,
            splits=splits,
            references={name: found.column() for name, found in self._references.items()},
            labels=labels,
            groups=None if keys is ids else keys,
            warnings=self._notes.sentences(ids),
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
            raise ManifestError(
                f"the manifest has no column {column!r}, which {key!r} names",
                where=table.uri,
                hint=did_you_mean(column, columns),
            )


def _reference(modality: ModalityConfig, row: Mapping[str, Any], location: str) -> Reference | None:
    try:
        return reference_of(modality, row)
    except ValueError as error:
        raise ManifestError(
            str(error), where=location, hint="write a missing payload as null or leave it empty"
        ) from None


def _check_references(
    references: Mapping[str, list[Reference | None]],
    locations: Sequence[str],
    folder: str,
    config: Config,
) -> None:
    for name, modality in config.modalities.items():
        if modality.is_inline:
            continue
        for value, location in zip(references[name], locations, strict=True):
            if not isinstance(value, str):
                continue
            problem = check_reference(value, folder, config.data.allow)
            if problem:
                raise ManifestError(
                    f"{', '.join(modality.columns)}: {problem}",
                    where=location,
                    hint="put the file below the manifest's folder, or list its folder or URI "
                    "prefix under 'data.allow'",
                )


def _explicit_id(value: object, column: str, location: str) -> str:
    if is_missing(value):
        raise _no_id(column, location)
    return name_of(value)


def _no_id(column: str, location: str) -> ManifestError:
    return ManifestError(
        f"a sample has no {column!r}", where=location, hint="every row needs an id"
    )
