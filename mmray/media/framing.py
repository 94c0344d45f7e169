"""Messages between a GuardedDecoder and its child. Arrays travel beside the pickle, uncopied."""

import pickle
import struct
from typing import Any, BinaryIO

_SIZE = struct.Struct("<Q")


def pack(message: Any) -> bytes:  # noqa: ANN401 (anything that can be pickled)
    """Return ``message`` as bytes: how many parts, their sizes, the pickle, its buffers."""
    buffers: list[pickle.PickleBuffer] = []
    head = pickle.dumps(message, protocol=5, buffer_callback=buffers.append)
    parts = [head, *(buffer.raw() for buffer in buffers)]
    sizes = struct.pack(f"<{len(parts) + 1}Q", len(parts), *(len(part) for part in parts))
    return b"".join([sizes, *parts])


def unpack(stream: BinaryIO) -> Any:  # noqa: ANN401
    """Read one message. What ends in the middle of one is an EOFError."""
    (count,) = _SIZE.unpack(_read(stream, _SIZE.size))
    sizes = struct.unpack(f"<{count}Q", _read(stream, count * _SIZE.size))
    block = _read(stream, sum(sizes))
    parts: list[memoryview] = []
    start = 0
    for size in sizes:
        parts.append(block[start : start + size])
        start += size
    return pickle.loads(parts[0], buffers=parts[1:])


def _read(stream: BinaryIO, size: int) -> memoryview:
    """Return ``size`` bytes that may be written to, as arrays from this process may."""
    block = memoryview(bytearray(size))
    done = 0
    while done < size:
        taken = stream.readinto(block[done:])  # pyright: ignore[reportAttributeAccessIssue]
        if not taken:
            raise EOFError
        done += taken
    return block
