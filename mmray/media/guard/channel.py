"""Between a GuardedDecoder and its child: messages by socket, bytes by shared memory.

Each side owns one half of the memory and fills it from the start whenever its turn begins; what
finds no room goes through the socket. One byte before them says which payload is at work.

The child trusts its parent, which sends it a function and payloads by pickle. The parent does not
trust the child, which may run what a hostile payload brought in: it unpickles nothing, and takes
no more than there can be.
"""

import mmap
import os
import pickle
import socket
import struct
import tempfile
from collections.abc import Iterable
from typing import Any, BinaryIO, cast

HALF_BYTES = 16 * 2**20
"""More than 64 photos of 256 x 256 pixels; only what was ever used takes memory."""
_HEAD = 64
_COUNT = struct.Struct("<Q")
_INLINE = 2**63
_MOST_PARTS = 2**20
"""Most parts of one message; a clip has one part per segment."""


class BrokenMessage(OSError):  # noqa: N818 (what was received, not an error of ours)
    """The other side did not send a valid message."""


class Channel:
    """One end of it. ``is_child`` says which half of the memory this side writes to.

    A message of more than ``max_bytes`` is not received.
    """

    def __init__(
        self, connection: socket.socket, shared: int, *, is_child: bool, max_bytes: int = 2**62
    ) -> None:
        self._max_bytes = max_bytes
        self._socket = connection
        self._stream = cast("BinaryIO", connection.makefile("rb", 2**16))
        self._map = mmap.mmap(shared, _HEAD + 2 * HALF_BYTES)
        self._memory = memoryview(self._map)
        self._is_child = is_child
        halves = [
            self._memory[_HEAD : _HEAD + HALF_BYTES],
            self._memory[_HEAD + HALF_BYTES : _HEAD + 2 * HALF_BYTES],
        ]
        self._incoming, self._outgoing = halves if is_child else reversed(halves)
        self._used = 0

    @property
    def at_work(self) -> int:
        """The payload that is being decoded, counted from the start of the batch."""
        return self._memory[0]

    @at_work.setter
    def at_work(self, number: int) -> None:
        self._memory[0] = number

    def begin(self) -> None:
        """Begin to write: the other side has read everything that was written before."""
        self._used = 0

    def send(self, message: bytes) -> None:
        """Send what ``pack`` made, or several of them."""
        self._socket.sendall(message)

    def pack(self, message: Any) -> bytes:  # noqa: ANN401 (anything that can be pickled)
        """Return a message for the child, which unpickles it."""
        buffers: list[pickle.PickleBuffer] = []
        head = pickle.dumps(message, protocol=5, buffer_callback=buffers.append)
        return self.pack_parts(head, [buffer.raw() for buffer in buffers])

    def pack_parts(self, head: bytes, buffers: Iterable[bytes | bytearray | memoryview]) -> bytes:
        """Return a message to be sent; its buffers are in the memory, or in the message."""
        inline: list[bytes | bytearray | memoryview] = [head]
        offsets = [_INLINE, len(head)]
        for raw in buffers:
            if self._used + len(raw) <= HALF_BYTES:
                self._outgoing[self._used : self._used + len(raw)] = raw
                offsets += [self._used, len(raw)]
                self._used += len(raw)
            else:
                inline.append(raw)
                offsets += [_INLINE, len(raw)]
        return b"".join([struct.pack(f"<{len(offsets) + 1}Q", len(offsets), *offsets), *inline])

    def receive(self) -> Any:  # noqa: ANN401
        """Read one message of the parent."""
        assert self._is_child
        head, *buffers = self.receive_parts()
        return pickle.loads(head, buffers=buffers)

    def receive_parts(self) -> list[bytearray | memoryview]:
        """Read one message's head and buffers; an EOFError when the other side is gone.

        What the child receives lies in the memory until its turn ends: the parent writes nothing
        before all answers have come. The parent takes a copy, for the child writes again as soon
        as it has the next payloads.
        """
        (count,) = _COUNT.unpack(self._read(_COUNT.size))
        if not 2 <= count <= 2 * _MOST_PARTS or count % 2:
            raise BrokenMessage("it has no parts, or too many")
        numbers = struct.unpack(f"<{count}Q", self._read(count * _COUNT.size))
        parts = list(zip(numbers[::2], numbers[1::2], strict=True))
        inside = all(offset == _INLINE or offset + size <= HALF_BYTES for offset, size in parts)
        if not inside or sum(size for _, size in parts) > self._max_bytes:
            raise BrokenMessage("its parts are larger than there is room")
        return [
            self._read(size) if offset == _INLINE else self._taken(offset, size)
            for offset, size in parts
        ]

    def close(self) -> None:
        """Hang up."""
        self._stream.close()
        self._socket.close()
        for view in (self._incoming, self._outgoing, self._memory):
            view.release()
        self._map.close()

    def _taken(self, offset: int, size: int) -> bytearray | memoryview:
        block = self._incoming[offset : offset + size]
        return block if self._is_child else bytearray(block)

    def _read(self, size: int) -> bytearray:
        """Return ``size`` bytes that may be written to, as arrays of this process may."""
        block = bytearray(size)
        view, done = memoryview(block), 0
        while done < size:
            taken = self._stream.readinto(view[done:])  # pyright: ignore[reportAttributeAccessIssue]
            if not taken:
                raise EOFError
            done += taken
        return block


def make_shared() -> int:
    """Return a descriptor of memory for two ends of a channel; zeros that take no room yet."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("mmray-guard")
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    os.truncate(descriptor, _HEAD + 2 * HALF_BYTES)
    return descriptor
