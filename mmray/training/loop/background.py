"""Background work: the next batch, and the last checkpoint."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

from mmray.training.data.batch import Batch


def prefetched(batches: Iterable[Batch], *, pin: bool) -> Iterator[Batch]:
    """Yield the batches in their order; the next one is made while one is used.

    ``pin``: in memory that a GPU can copy from by itself.
    """
    source = iter(batches)

    def following() -> Batch | None:
        batch = next(source, None)
        return batch.pinned() if pin and batch is not None else batch

    with ThreadPoolExecutor(1, thread_name_prefix="batches") as pool:
        coming = pool.submit(following)
        while (batch := coming.result()) is not None:
            coming = pool.submit(following)
            yield batch


class Background:
    """Does one piece of work at a time beside the training; its errors are raised here.

    Leaving the block waits for the work that has been begun.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="checkpoints")
        self._pending: Future[None] | None = None

    def __enter__(self) -> "Background":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._pool.shutdown()
        if error is None:
            self.wait()

    def begin(self, work: Callable[[], None]) -> None:
        """Begin a piece of work when the one before is done."""
        self.wait()
        self._pending = self._pool.submit(work)

    def wait(self) -> None:
        """Wait for the work, and raise its error."""
        pending, self._pending = self._pending, None
        if pending is not None:
            pending.result()
