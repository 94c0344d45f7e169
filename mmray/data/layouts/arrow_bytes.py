"""The positions of an Arrow column's bytes in its file."""

from typing import Any

import numpy as np
import pyarrow as pa

from mmray.data.manifest.reference import FileReference
from mmray.media.location import Member


def references_in(column: pa.Array, content: pa.Buffer, file: str, name: str) -> list[Any]:
    """Return a column's cells, with references into ``file`` for bytes.

    A file column of Hugging Face data sets is ``{bytes, path}``: its bytes, else its path. Bytes
    that do not lie in ``content`` as they are, because the file is compressed, are returned.
    """
    if pa.types.is_struct(column.type) and {f.name for f in column.type} == {"bytes", "path"}:
        paths = column.field("path").to_pylist()
        found = references_in(column.field("bytes"), content, file, name)
        valid = column.is_valid().to_pylist()
        return [
            (paths[row] if cell is None else cell) if valid[row] else None
            for row, cell in enumerate(found)
        ]
    if not (pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type)):
        return column.to_pylist()
    _, offsets, data = column.buffers()
    start = data.address - content.address if data is not None else -1
    if data is None or not 0 <= start <= content.size - data.size:
        return column.to_pylist()
    width = np.int64 if pa.types.is_large_binary(column.type) else np.int32
    ends = np.frombuffer(offsets, width)[column.offset : column.offset + len(column) + 1]
    valid = column.is_valid().to_pylist()
    return [
        FileReference(
            Member(file, f"{name}[{row}]", start + int(ends[row]), int(ends[row + 1] - ends[row]))
        )
        if valid[row]
        else None
        for row in range(len(column))
    ]
