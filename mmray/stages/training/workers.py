"""The workers of a command's trainings: they start with the first one, and stay for the next."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from mmray.config.document import Config

if TYPE_CHECKING:
    from mmray.distributed.training.group import TrainingGroup
    from mmray.distributed.training.share import WorkerShare


class TrainingWorkers:
    """At most one group of workers. In the block of this context it stays between trainings.

    It holds its cores meanwhile: what needs them on Ray releases it first.
    """

    def __init__(self) -> None:
        self._group: TrainingGroup | None = None
        self._ending: TrainingGroup | None = None
        """A group that was asked to end, and not waited for."""
        self._made_for: tuple[object, ...] = ()
        self._stays = False

    def __enter__(self) -> Self:
        """Let the workers stay after a training."""
        self._stays = True
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the workers."""
        self._stays = False
        self.release()

    @contextmanager
    def using(
        self, config: Config, share: "WorkerShare", storage: Path
    ) -> "Generator[TrainingGroup]":
        """Yield the group for a document's trainings; its workers may be about to start.

        If the block fails, they end whatever they do.
        """
        group = self._started(config, share, storage)
        try:
            yield group
        except BaseException:
            self._group = None
            group.abort()
            raise
        # Failures are counted from the start of a group: the next training has its own.
        if not self._stays or group.was_restarted:
            self.release()

    def let_go(self) -> None:
        """Ask the workers to end, and wait for nothing: this process has no more for them."""
        if self._group is not None:
            self._group.close()
            self._ending, self._group = self._group, None

    def release(self) -> None:
        """End the workers; then their cores are free."""
        self.let_go()
        self.wait()

    def wait(self) -> None:
        """Wait until workers that were asked to end have done so."""
        ending, self._ending = self._ending, None
        if ending is not None:
            ending.wait()

    def _started(self, config: Config, share: "WorkerShare", storage: Path) -> "TrainingGroup":
        from mmray.distributed.training.group import TrainingGroup

        is_local, most = config.runtime.mode == "local", config.train.max_failures
        wanted = (share, is_local, most, storage)
        if self._group is None or wanted != self._made_for:
            self.release()
            self._made_for = wanted
            self._group = TrainingGroup(
                share, max_failures=most, is_local=is_local, storage=storage
            )
        return self._group
