"""Data sets that ``save_to_disk`` of Hugging Face datasets wrote: Arrow files and what is in them.

Read without that library. Bytes of images and sounds stay where they are: a reference says at which
byte of the Arrow file they start.
"""

import hashlib
import json
import mmap
from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from mmray.data.arrow_bytes import references_in
from mmray.data.layout_folders import SPLITS
from mmray.data.source import Row, Source
from mmray.errors import ManifestError

STATE, DICT, INFO = "state.json", "dataset_dict.json", "dataset_info.json"
MARKERS = (STATE, DICT)


def read_huggingface(source: Source) -> Iterator[Row]:
    """Yield a row per row; names of classes for their numbers, and the split it comes from."""
    for split in _splits(source):
        names = _class_names(_read_json(source, f"{split}{INFO}"))
        number = 0
        for file in _data_files(source, split):
            for cells in _rows(source, file):
                place = f"{source.place(file)}:{number}"
                row = {"sample_id": f"{split}{number}"} | _split_of(split) | cells
                yield place, row | _named(row, names, place)
                number += 1


def digest_huggingface(source: Source) -> Iterator[str]:
    """Yield which files there are: the small ones with their content, the others' versions."""
    for split in _splits(source):
        for name in (f"{split}{STATE}", f"{split}{INFO}"):
            yield f"{source.folder}/{name} {hashlib.sha256(source.read(name)).hexdigest()}"
        for file in _data_files(source, split):
            yield f"{source.folder}/{file} {source.version(file)}"


def _splits(source: Source) -> list[str]:
    """Return the folders of the splits, each ending in a slash; of one data set, ``""``."""
    if DICT not in source.names():
        return [""]
    return [f"{_plain(name, source, DICT)}/" for name in _read_json(source, DICT).get("splits", [])]


def _split_of(folder: str) -> dict[str, str]:
    name = folder.rstrip("/")
    return {"split": SPLITS.get(name.lower(), name)} if name else {}


def _data_files(source: Source, split: str) -> list[str]:
    state = _read_json(source, f"{split}{STATE}")
    if state.get("_indices_files") or state.get("_indices_data_files"):
        raise ManifestError(
            "this data set has a mapping of indices beside it",
            where=source.place(f"{split}{STATE}"),
            hint="save it again: dataset.flatten_indices().save_to_disk(...)",
        )
    files = state.get("_data_files") or []
    return [split + _plain(file.get("filename"), source, f"{split}{STATE}") for file in files]


def _plain(name: object, source: Source, file: str) -> str:
    if isinstance(name, str) and name and not name.startswith(".") and not {"/", "\\"} & set(name):
        return name
    raise ManifestError(f"{name!r} is not the name of a file beside it", where=source.place(file))


def _read_json(source: Source, name: str) -> dict[str, Any]:
    try:
        found = json.loads(source.read(name))
    except ValueError as error:
        raise ManifestError(f"not JSON: {error}", where=source.place(name)) from None
    if not isinstance(found, dict):
        raise ManifestError("not an object", where=source.place(name))
    return found


def _class_names(info: dict[str, Any]) -> dict[str, list[str]]:
    features = info.get("features") or {}
    return {
        column: feature["names"]
        for column, feature in features.items()
        if isinstance(feature, dict) and feature.get("_type") == "ClassLabel" and "names" in feature
    }


def _named(row: Mapping[str, Any], names: dict[str, list[str]], place: str) -> dict[str, Any]:
    """Return the names of the row's classes; -1 is what a data set without labels has."""
    named: dict[str, Any] = {}
    for column in names.keys() & row.keys():
        number = row[column]
        if number is None or number == -1:
            named[column] = None
        elif 0 <= number < len(names[column]):
            named[column] = names[column][number]
        else:
            raise ManifestError(
                f"{column}: there is no class {number}, only {len(names[column])}", where=place
            )
    return named


def _rows(source: Source, file: str) -> Iterator[dict[str, Any]]:
    try:
        content = _content(source, file)
        for batch in _batches(content):
            batch.validate(full=True)  # offsets that point elsewhere would be read as they are
            columns = {
                name: references_in(column, content, file, name)
                for name, column in zip(batch.schema.names, batch.columns, strict=True)
            }
            for row in range(batch.num_rows):
                yield {name: cells[row] for name, cells in columns.items()}
    except (pa.ArrowException, ValueError, OSError) as error:
        raise ManifestError(
            f"not an Arrow file, or cut short: {error}", where=source.place(file)
        ) from None


def _content(source: Source, file: str) -> pa.Buffer:
    """Map a local file into memory; a remote one is read."""
    with source.open(file) as stream:
        try:
            return pa.py_buffer(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ))
        except OSError:
            return pa.py_buffer(stream.read())


def _batches(content: pa.Buffer) -> Iterator[pa.RecordBatch]:
    if content.slice(0, 6).to_pybytes() == b"ARROW1":
        reader = pa.ipc.open_file(content)
        yield from (reader.get_batch(number) for number in range(reader.num_record_batches))
    else:
        yield from pa.ipc.open_stream(content)
