"""Decoding in a child process: a decoder that hangs or crashes costs one payload, not the run."""

import pickle
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from mmray.core.rejection import Rejection

START = "import sys; sys.path[:] = sys.argv[2:]; from mmray.media.guard_child import main; main()"
"""The child looks for modules where its parent does, and no earlier than Python has started."""
MAX_MEMORY_BYTES = 4 * 2**30
"""What a child may take; a decoder that wants more fails on its payload."""


class GuardedDecoder:
    """Runs ``decode`` in a child of its own, which is replaced when it is lost.

    ``decode`` must be picklable: a function of a module, or a ``functools.partial`` of one. The
    child starts with the first payload. Not for use by several threads at once.
    """

    def __init__(
        self,
        decode: Callable[[bytes], Any],
        *,
        timeout_s: float,
        max_memory_bytes: int = MAX_MEMORY_BYTES,
    ) -> None:
        self._decode = pickle.dumps(decode)
        self._timeout_s = timeout_s
        self._max_memory_bytes = max_memory_bytes
        self._child: subprocess.Popen[bytes] | None = None
        self._connection: Connection | None = None

    def __call__(self, payload: bytes) -> Any:  # noqa: ANN401 (whatever decode returns)
        """Return what ``decode`` returns, or raise its Rejection.

        Also rejects ``decode_crashed`` (the child died), ``decode_timeout`` and ``decode_memory``.
        """
        connection = self._connection or self._start()
        try:
            connection.send_bytes(payload)
            if not connection.poll(self._timeout_s):
                self.close()
                raise Rejection("decode_timeout", f"took more than {self._timeout_s:g} s")
            is_rejected, answer = pickle.loads(connection.recv_bytes())
        except (EOFError, ConnectionError):
            raise Rejection("decode_crashed", self._last_words()) from None
        if not is_rejected:
            return answer
        raise answer

    @property
    def pid(self) -> int | None:
        """The process id of the child, while there is one."""
        return self._child.pid if self._child is not None else None

    def close(self) -> None:
        """End the child, whatever it is doing."""
        if self._child is not None and self._connection is not None:
            self._connection.close()
            self._child.kill()
            self._child.wait()
        self._child = self._connection = None

    def __del__(self) -> None:
        """Leave no child behind."""
        self.close()

    def _start(self) -> Connection:
        ours, theirs = socket.socketpair()
        with theirs:
            self._child = subprocess.Popen(
                [sys.executable, "-P", "-c", START, str(theirs.fileno()), *sys.path],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
        connection = self._connection = Connection(ours.detach())
        try:
            connection.send((self._decode, self._timeout_s, self._max_memory_bytes))
            connection.recv()
        except (EOFError, ConnectionError) as error:
            # No payload's fault, so no rejection: the child has said why on standard error.
            raise RuntimeError(f"no process to decode in: {self._last_words()}") from error
        return connection

    def _last_words(self) -> str:
        assert self._child is not None
        try:
            code = self._child.wait(timeout=10)
        except subprocess.TimeoutExpired:
            code = 0
        self.close()
        return f"ended by {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"
