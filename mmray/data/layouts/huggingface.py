"""Data sets that ``save_to_disk`` of Hugging Face datasets wrote: Arrow files and what is in them.

Read without that library. Bytes of images and sounds stay where they are: a reference says at which
byte of the Arrow file they start.
"""

import hashlib
import mmap
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from mmray.data.layouts.arrow_bytes import references_in
from mmray.data.layouts.class_label import with_names
from mmray.data.layouts.folders import SPLITS
from mmray.data.layouts.header import check_columns
from mmray.data.layouts.saved_metadata import class_names, list_of, plain_name, read_object
from mmray.data.layouts.unpacked import Unpacked
from mmray.data.manifest.column import AT_ONCE
from mmray.data.sources.source import Row, Source
from mmray.errors import ManifestError

STATE, DICT, INFO = "state.json", "dataset_dict.json", "dataset_info.json"
MARKERS = (STATE, DICT)


def read_huggingface(source: Source) -> Iterator[Row]:
    """Yield a row per row; names of classes for their numbers, and the split it comes from."""
    for split in _splits(source):
        info = f"{split}{INFO}"
        names = class_names(read_object(source, info), source.location(info))
        number = 0
        for file in _data_files(source, split):
            for cells in _rows(source, file):
                location = f"{source.location(file)}:{number}"
                row = {"sample_id": f"{split}{number}"} | _split_of(split) | cells
                yield location, row | with_names(row, names, location)
                number += 1


def digest_huggingface(source: Source) -> Iterator[str]:
    """Yield which files there are: the small ones with their content, the others' versions."""
    for split in _splits(source):
        for name in (f"{split}{STATE}", f"{split}{INFO}"):
            yield f"{name} {hashlib.sha256(source.read(name)).hexdigest()}"
        for file in _data_files(source, split):
            yield f"{file} {source.version(file)}"


def _splits(source: Source) -> list[str]:
    """Return the folders of the splits, each ending in a slash; of one data set, ``""``."""
    if DICT not in source.names():
        return [""]
    names = list_of(read_object(source, DICT), "splits", source.location(DICT))
    return [f"{plain_name(name, source, DICT)}/" for name in names]


def _split_of(folder: str) -> dict[str, str]:
    name = folder.rstrip("/")
    return {"split": SPLITS.get(name.lower(), name)} if name else {}


def _data_files(source: Source, split: str) -> list[str]:
    state = read_object(source, f"{split}{STATE}")
    if state.get("_indices_files") or state.get("_indices_data_files"):
        raise ManifestError(
            "this data set has a mapping of indices beside it",
            where=source.location(f"{split}{STATE}"),
            hint="save it again: dataset.flatten_indices().save_to_disk(...)",
        )
    files = list_of(state, "_data_files", source.location(f"{split}{STATE}"))
    names = [file.get("filename") if isinstance(file, dict) else file for file in files]
    return [split + plain_name(name, source, f"{split}{STATE}") for name in names]


def _rows(source: Source, file: str) -> Iterator[dict[str, Any]]:
    try:
        content = _content(source, file)
        unpacked = Unpacked(source.location(file), content.size)
        for batch in _batches(content):
            batch.validate(full=True)  # offsets that point elsewhere would be read as they are
            check_columns(batch.schema.names, source.location(file))
            unpacked.add(batch)
            for start in range(0, batch.num_rows, AT_ONCE):
                yield from _cells(batch.slice(start, AT_ONCE), content, file)
    except (pa.ArrowException, ValueError, OSError) as error:
        raise ManifestError(
            f"not an Arrow file, or cut short: {error}", where=source.location(file)
        ) from None


def _cells(batch: pa.RecordBatch, content: pa.Buffer, file: str) -> Iterator[dict[str, Any]]:
    columns = {
        name: references_in(column, content, file, name)
        for name, column in zip(batch.schema.names, batch.columns, strict=True)
    }
    for row in range(batch.num_rows):
        yield {name: cells[row] for name, cells in columns.items()}


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
