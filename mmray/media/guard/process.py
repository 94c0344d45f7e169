"""One child process that decodes, seen from its parent."""

import contextlib
import os
import pickle
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence

from mmray.media.guard.answer import Answer, WrongAnswer, from_message
from mmray.media.guard.channel import HALF_BYTES, BrokenMessage, Channel, make_shared

START = "import sys; sys.path[:] = sys.argv[3:]; from mmray.media.guard.child import main; main()"
"""The child looks for modules where its parent does, and no earlier than Python has started."""
FROM_OUTSIDE = (-signal.SIGKILL, -signal.SIGTERM)
"""A child that ends so was ended by somebody, not by what it did."""
ODD_ANSWER = 256
"""In place of an exit status: the child was ended because it sent what no decoder sends."""
STARTS = 3
"""Number of starts of a child that is ended from outside before it is ready."""
GRACE_S = 30.0
"""A child that has not ended itself so long after its time was up is ended from here."""


class ChildLost(Exception):  # noqa: N818 (what happened, not an error of ours)
    """The child ended, or was ended, with answers outstanding."""

    def __init__(self, number: int, code: int) -> None:
        super().__init__(number, code)
        self.number = number
        """Index of the payload in work."""
        self.code = code
        """Exit status; of a signal, its number with a minus."""


class GuardProcess:
    """Starts on first use or on request; a lost one is replaced at the next ``send``."""

    _own_id = staticmethod(os.getpid)  # kept: when Python ends, modules are emptied before objects

    def __init__(self, decode: bytes, *, timeout_s: float, max_memory_bytes: int) -> None:
        self._set_up = (decode, timeout_s, max_memory_bytes)
        self._timeout_s = timeout_s
        self._child: subprocess.Popen[bytes] | None = None
        self._started_by = 0
        self._is_ready = False

    @property
    def pid(self) -> int | None:
        """The process id, while there is one."""
        return self._child.pid if self._child is not None else None

    def start(self) -> None:
        """Start the process without waiting until it is ready."""
        if self._child is not None and self._started_by != self._own_id():
            self.close()
        if self._child is not None:
            return
        self._started_by = self._own_id()
        self._socket, theirs = socket.socketpair()
        shared = make_shared()
        with theirs:
            words = [str(theirs.fileno()), str(shared), *sys.path]
            self._child = subprocess.Popen(
                [sys.executable, "-P", "-c", START, *words],
                pass_fds=[theirs.fileno(), shared],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
        limit = self._set_up[2] + HALF_BYTES
        self._channel = Channel(self._socket, shared, is_child=False, max_bytes=limit)
        os.close(shared)
        with contextlib.suppress(ConnectionError):  # it is seen to be lost when it is waited for
            decode, *limits = self._set_up
            self._channel.send(self._channel.pack((pickle.PickleBuffer(decode), *limits)))

    def send(self, payloads: Sequence[bytes | str]) -> None:
        """Hand over payloads; everything of the list before must have been received."""
        self._be_ready()
        self._channel.at_work = 0
        self._socket.settimeout(len(payloads) * self._timeout_s + GRACE_S)
        with contextlib.suppress(OSError):  # a lost child is seen when its answers are awaited
            self._channel.begin()
            self._channel.send(self._channel.pack(list(map(_beside, payloads))))

    def receive(self, count: int) -> Iterator[Answer]:
        """Yield the answers to ``count`` payloads as they come, or raise ``ChildLost``."""
        try:
            while count > 0:
                answers = self._answers(count)
                count -= len(answers)
                yield from answers
        except (BrokenMessage, WrongAnswer):  # the process no longer runs our decoder
            number = self._channel.at_work
            self.close()
            raise ChildLost(number, ODD_ANSWER) from None
        except TimeoutError:
            number = self._channel.at_work
            self.close()
            raise ChildLost(number, -signal.SIGALRM) from None
        except (EOFError, OSError):
            number = self._channel.at_work
            raise ChildLost(number, self._exit_code()) from None

    def _answers(self, count: int) -> list[Answer]:
        head, *buffers = self._channel.receive_parts()
        answers = from_message(head, buffers)
        if not 0 < len(answers) <= count:
            raise WrongAnswer("there are more answers than payloads, or none")
        return answers

    def close(self) -> None:
        """End the process, whatever it is doing; after a fork it is the parent's, and stays."""
        if self._child is not None:
            self._channel.close()
            if self._started_by == self._own_id():
                self._child.kill()
                self._child.wait()
        self._child, self._is_ready = None, False

    def _be_ready(self) -> None:
        for again in reversed(range(STARTS)):
            self.start()
            try:
                if not self._is_ready:
                    self._channel.receive_parts()
            except (EOFError, OSError) as error:
                code = self._exit_code()
                if code not in FROM_OUTSIDE or not again:
                    # No payload's fault, so no rejection: the child has said why on standard error.
                    raise RuntimeError(f"no process to decode in: {describe_exit(code)}") from error
            else:
                self._is_ready = True
                return

    def _exit_code(self) -> int:
        assert self._child is not None
        try:
            code = self._child.wait(timeout=10)
        except subprocess.TimeoutExpired:
            code = 0
        self.close()
        return code


def _beside(payload: bytes | str) -> pickle.PickleBuffer | str:
    """Let bytes travel beside the message, through the shared memory."""
    return pickle.PickleBuffer(payload) if isinstance(payload, bytes) else payload


def describe_exit(code: int) -> str:
    """Return how a process ended."""
    if code == ODD_ANSWER:
        return "ended for an answer that no decoder gives"
    return f"ended by {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"
