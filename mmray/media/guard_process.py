"""One child process that decodes, seen from its parent."""

import contextlib
import mmap
import pickle
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, cast

from mmray.media.framing import pack, unpack

START = "import sys; sys.path[:] = sys.argv[3:]; from mmray.media.guard_child import main; main()"
"""The child looks for modules where its parent does, and no earlier than Python has started."""
GRACE_S = 30.0
"""A child that has not ended itself so long after its time was up is ended from here."""
READ_BYTES = 2**18


class ChildLost(Exception):  # noqa: N818 (what happened, not an error of ours)
    """The child ended, or was ended, with answers outstanding."""

    def __init__(self, number: int, code: int) -> None:
        super().__init__(number, code)
        self.number = number
        """Of the payload that it was at."""
        self.code = code
        """Exit status; of a signal, its number with a minus."""


class GuardProcess:
    """Starts when it is first needed, or told to; a lost one is replaced at the next ``send``."""

    def __init__(self, decode: bytes, *, timeout_s: float, max_memory_bytes: int) -> None:
        self._set_up = (decode, timeout_s, max_memory_bytes)
        self._timeout_s = timeout_s
        self._child: subprocess.Popen[bytes] | None = None
        self._is_ready = False

    @property
    def pid(self) -> int | None:
        """The process id, while there is one."""
        return self._child.pid if self._child is not None else None

    def start(self) -> None:
        """Start the process without waiting until it is ready."""
        if self._child is not None:
            return
        self._socket, theirs = socket.socketpair()
        with theirs, tempfile.TemporaryFile() as shared:
            shared.truncate(1)
            self._at_work = mmap.mmap(shared.fileno(), 1)
            words = [str(theirs.fileno()), str(shared.fileno()), *sys.path]
            self._child = subprocess.Popen(
                [sys.executable, "-P", "-c", START, *words],
                pass_fds=[theirs.fileno(), shared.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
        self._stream = cast("BinaryIO", self._socket.makefile("rb", READ_BYTES))
        with contextlib.suppress(ConnectionError):  # it is seen to be lost when it is waited for
            self._socket.sendall(pack(self._set_up))

    def send(self, payloads: Sequence[bytes]) -> None:
        """Hand over payloads; everything of the list before must have been received."""
        self.start()
        if not self._is_ready:
            self._wait_until_ready()
        self._at_work[0] = 0
        self._socket.settimeout(len(payloads) * self._timeout_s + GRACE_S)
        with contextlib.suppress(OSError):  # a lost child is seen when its answers are awaited
            self._socket.sendall(pack([pickle.PickleBuffer(payload) for payload in payloads]))

    def receive(self, count: int) -> Iterator[tuple[bool, Any]]:
        """Yield the answers to ``count`` payloads as they come, or raise ``ChildLost``."""
        try:
            for _ in range(count):
                yield unpack(self._stream)
        except TimeoutError:
            number = self._at_work[0]
            self.close()
            raise ChildLost(number, -signal.SIGALRM) from None
        except (EOFError, OSError):
            number = self._at_work[0]
            raise ChildLost(number, self._exit_code()) from None

    def close(self) -> None:
        """End the process, whatever it is doing."""
        if self._child is not None:
            self._stream.close()
            self._socket.close()
            self._child.kill()
            self._child.wait()
        self._child, self._is_ready = None, False

    def _wait_until_ready(self) -> None:
        try:
            unpack(self._stream)
        except (EOFError, OSError) as error:
            # No payload's fault, so no rejection: the child has said why on standard error.
            told = describe_exit(self._exit_code())
            raise RuntimeError(f"no process to decode in: {told}") from error
        self._is_ready = True

    def _exit_code(self) -> int:
        assert self._child is not None
        try:
            code = self._child.wait(timeout=10)
        except subprocess.TimeoutExpired:
            code = 0
        self.close()
        return code


def describe_exit(code: int) -> str:
    """Say how a process ended."""
    return f"ended by {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"
