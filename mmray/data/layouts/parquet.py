"""Tables of Parquet. One that unpacks to far more than the size of its file is refused.

A dictionary of one long text makes 6 GB of rows out of 3 MB: so a batch has as many rows as fit
into memory when every cell is as long as the complete column, and the total is counted.
"""

import io
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from mmray.data.layouts.header import check_columns
from mmray.data.layouts.unpacked import Unpacked
from mmray.data.manifest.column import AT_ONCE
from mmray.errors import ManifestError

BATCH_BYTES = 2**30


def read_parquet(file: str, stream: BinaryIO) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield (row from 1, row)."""
    size = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    try:
        with pq.ParquetFile(stream, read_dictionary=_texts_in_lists(stream)) as table:
            check_columns(table.schema_arrow.names, file)
            batches = _batches(table, Unpacked(file, size))
            rows = chain.from_iterable(batch.to_pylist() for batch in batches)
            yield from enumerate(rows, start=1)
    except (pa.ArrowException, OSError) as error:
        raise ManifestError(f"not a Parquet file: {error}", where=file) from None
    except (ValueError, OverflowError) as error:
        raise ManifestError(
            f"a cell of this table cannot be read: {error}", where=file, hint=_hint(error)
        ) from None


def _texts_in_lists(stream: BinaryIO) -> list[str]:
    """Return the columns to keep as dictionaries: one row of them may repeat a text for ever."""
    schema = pq.ParquetFile(stream).schema
    columns = [schema.column(number) for number in range(len(schema))]
    return [c.path for c in columns if c.max_repetition_level and c.physical_type == "BYTE_ARRAY"]


def _batches(table: pq.ParquetFile, unpacked: Unpacked) -> Iterator[pa.RecordBatch]:
    sizes = list(_group_sizes(table))
    unpacked.check(sum(sizes))
    rows = BATCH_BYTES // max([1, *sizes])
    for batch in table.iter_batches(batch_size=max(1, min(AT_ONCE, rows))):
        unpacked.add(batch)
        yield batch


def _group_sizes(table: pq.ParquetFile) -> Iterator[int]:
    """Yield how large each row group is unpacked; no cell in it is larger.

    Of the columns nothing is asked: Arrow ends the process over statistics that are damaged.
    """
    for number in range(table.metadata.num_row_groups):
        yield table.metadata.row_group(number).total_byte_size


def _hint(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "text must be UTF-8; give other bytes the type binary"
    return "dates must lie in the years 1 to 9999" if "field name" not in str(error) else ""
