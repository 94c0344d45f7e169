"""Decoding in child processes: a decoder that hangs or crashes costs one payload, not the run."""

import pickle
import signal
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Any

from mmray.core.rejection import Rejection
from mmray.media.guard.channel import HALF_BYTES
from mmray.media.guard.process import FROM_OUTSIDE, ChildLost, GuardProcess, describe_exit

MAX_MEMORY_BYTES = 4 * 2**30
"""Memory limit of a child; a decoder that wants more fails on its payload."""
BATCH_PAYLOADS, BATCH_BYTES = 64, 8 * 2**20
"""Limits of one message: number of payloads, and bytes after which no further one is added."""
FEW_PAYLOADS = 8
"""Payloads of a message before the size of answers is known, and per child of several."""

Entry = bytes | str | Rejection
"""A payload; a reference, where ``decode`` takes those, too; or why there is neither."""


class GuardedDecoder:
    """Runs ``decode`` in children of its own; one that is lost, or out of memory, is replaced.

    ``decode`` must be picklable: a function of a module, or a ``functools.partial`` of one. The
    children start with the first payload, or with ``start``. Not for several threads at once.
    With ``takes_turns`` the children wait while their answers are used, as the caller does while
    they decode: where both have one core, they would only take it from each other.

    Rejects, beside what ``decode`` rejects: ``decode_crashed`` (the child died), ``decode_timeout``
    and ``decode_memory``.
    """

    def __init__(
        self,
        decode: Callable[[bytes], Any] | Callable[[bytes | str], Any],
        *,
        timeout_s: float,
        max_memory_bytes: int = MAX_MEMORY_BYTES,
        children: int = 1,
        takes_turns: bool = False,
    ) -> None:
        self._children: list[GuardProcess] = []
        self._takes_turns = takes_turns
        self._timeout_s = timeout_s
        self._most = max(FEW_PAYLOADS, BATCH_PAYLOADS // children)
        self._at_once = FEW_PAYLOADS
        pickled = pickle.dumps(decode)
        self._children = [
            GuardProcess(pickled, timeout_s=timeout_s, max_memory_bytes=max_memory_bytes)
            for _ in range(children)
        ]

    def __call__(self, payload: bytes) -> Any:  # noqa: ANN401 (whatever decode returns)
        """Return what ``decode`` returns, or raise its Rejection."""
        (answer,) = self.each([payload])
        if isinstance(answer, Rejection):
            raise answer
        return answer

    def each(self, payloads: Iterable[Entry]) -> Generator[Any]:
        """Yield what ``decode`` returns for each payload, in order, or the Rejection.

        Payloads are taken from the iterable, and answers used by the caller unless they take turns,
        while the children decode. A payload that is a Rejection already stays one.
        """
        idle = deque(self._children)
        busy: deque[tuple[GuardProcess, list[Entry]]] = deque()
        try:
            for batch in self._batches(payloads):
                answers = self._collect(busy, idle) if not idle else []
                if self._takes_turns:
                    yield from answers
                idle[0].send(_to_decode(batch))
                busy.append((idle.popleft(), batch))
                if not self._takes_turns:
                    yield from answers
            while busy:
                yield from self._collect(busy, idle)
        finally:
            for child, _ in busy:  # its answers would be taken for those to other payloads
                child.close()

    def start(self) -> None:
        """Start the children without waiting until they are ready."""
        for child in self._children:
            child.start()

    @property
    def pid(self) -> int | None:
        """The process id of the first child, while there is one."""
        return self._children[0].pid

    def close(self) -> None:
        """End the children, whatever they are doing."""
        for child in self._children:
            child.close()

    def __del__(self) -> None:
        """Leave no child behind."""
        self.close()

    def _batches(self, payloads: Iterable[Entry]) -> Iterator[list[Entry]]:
        """Cut what is sent at once; answers as large as the largest before fit into the memory."""
        batch: list[Entry] = []
        size = 0
        for payload in payloads:
            batch.append(payload)
            size += len(payload) if isinstance(payload, bytes) else 0
            if len(batch) >= self._at_once or size >= BATCH_BYTES:
                yield batch
                batch, size = [], 0
        if batch:
            yield batch

    def _collect(
        self, busy: deque[tuple[GuardProcess, list[Entry]]], idle: deque[GuardProcess]
    ) -> list[Any]:
        """Wait for the oldest batch and return its answers, in order."""
        child, batch = busy[0]
        answers = iter(self._answers(child, _to_decode(batch)))
        found = [entry if isinstance(entry, Rejection) else next(answers) for entry in batch]
        busy.popleft()
        idle.append(child)
        largest = max((getattr(answer, "nbytes", 0) for answer in found), default=0)
        self._at_once = max(1, min(self._most, HALF_BYTES // max(1, largest)))
        return found

    def _answers(self, child: GuardProcess, payloads: list[bytes | str]) -> list[Any]:
        """Receive the answers to what was sent; send again what a lost child leaves open."""
        answers: list[Any] = []
        rejected: dict[int, Rejection] = {}
        tried_again: set[int] = set()
        sent_from, sent_to = 0, len(payloads)
        while len(answers) < len(payloads):
            try:
                for is_rejected, answer, is_spent in child.receive(sent_to - len(answers)):
                    answers.append(_checked(answer, is_rejected=is_rejected))
                    if is_spent:  # it would fail on payloads that another child decodes
                        child.close()
                        break
            except ChildLost as lost:
                # The number is the child's own word: it is one of those that were sent.
                index = min(max(sent_from + lost.number, len(answers)), sent_to - 1)
                if lost.code in FROM_OUTSIDE and index not in tried_again:
                    tried_again.add(index)  # its payload may be without fault
                else:
                    rejected[index] = self._rejection(lost.code)
            while len(answers) in rejected:
                answers.append(rejected[len(answers)])
            sent_from = len(answers)
            sent_to = min((n for n in rejected if n >= sent_from), default=len(payloads))
            if sent_from < sent_to:
                child.send(payloads[sent_from:sent_to])
        return answers

    def _rejection(self, code: int) -> Rejection:
        if code == -signal.SIGALRM:
            return Rejection("decode_timeout", f"took more than {self._timeout_s:g} s")
        return Rejection("decode_crashed", describe_exit(code))


def _checked(answer: Any, *, is_rejected: bool) -> Any:  # noqa: ANN401
    """Return the answer; a bug in a decoder is raised."""
    if is_rejected and not isinstance(answer, Rejection):
        raise answer
    return answer


def _to_decode(batch: list[Entry]) -> list[bytes | str]:
    return [entry for entry in batch if not isinstance(entry, Rejection)]
