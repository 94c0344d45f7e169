"""A group of workers that stays for the next training."""

import shutil
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import ray
from ray.exceptions import RayTaskError, WorkerCrashedError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from mmray.core.file.atomic import read_complete
from mmray.distributed.failure import to_own_error
from mmray.distributed.node.session import train_environment
from mmray.distributed.training.epoch_listener import HEARD, EpochListener, OnEpoch
from mmray.distributed.training.inbox import Inbox
from mmray.distributed.training.leader import GroupSettings, lead
from mmray.distributed.training.reservation import Reservation
from mmray.distributed.training.share import WorkerShare
from mmray.distributed.training.worker import WorkerSettings
from mmray.errors import TrainingError
from mmray.run.epoch_file import EPOCHS, epoch_lines
from mmray.run.training_job import TrainingJob

POLL_S = 0.1
NOTE = "workers"
"""In the group's folder: the placement group of its workers."""
ABORT_S = 5.0


class TrainingGroup:
    """Workers of Ray Train that start when the group is made, and train until it is closed.

    As a context it waits for its workers to end, or ends them at once if the block failed.
    """

    def __init__(
        self,
        share: WorkerShare,
        *,
        max_failures: int,
        is_local: bool,
        storage: Path,
        note: Path | None = None,
    ) -> None:
        name = f"mmray-{uuid.uuid4().hex[:8]}"
        self._folder = storage.resolve() / name
        self._inbox = Inbox(self._folder / "jobs")
        self._inbox.open()
        self._note = note or self._inbox.folder / NOTE
        self._jobs = 0
        settings = GroupSettings(
            share, max_failures, is_local, storage.resolve(), name, train_environment()
        )
        for_workers = WorkerSettings(
            inbox=str(self._inbox.folder), threads=share.threads, note=str(self._note)
        )
        here = ray.get_runtime_context().get_node_id()
        self._leader: Any = lead.options(
            scheduling_strategy=NodeAffinitySchedulingStrategy(here, soft=False)
        ).remote(settings, for_workers)

    def __enter__(self) -> Self:
        """Return the group."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the workers."""
        if error is None:
            self.close()
            self.wait()
        else:
            self.abort()

    @property
    def was_restarted(self) -> bool:
        """Whether workers failed, or became more or fewer, since the group was made."""
        return self._inbox.num_starts > 1

    def train(self, plans: Sequence[TrainingJob], *, on_epoch: OnEpoch | None = None) -> None:
        """Train every plan that is not complete yet.

        ``on_epoch(run name, record)`` gets each epoch.

        Raises:
            MMRayError: what a worker raised, if it was one of ours; else a TrainingError.
        """
        for plan in plans:
            _make_ready(plan)
        listener = EpochListener(
            {plan.name: Path(plan.folder) / EPOCHS for plan in plans}, on_epoch or _ignore
        )
        needed = Path(plans[0].manifest)
        self._jobs += 1
        self._inbox.put(self._jobs, plans)
        try:
            while not self._inbox.is_done(self._jobs):
                _check_there(needed)
                listener.hear()
                self._pause()
        except KeyboardInterrupt as stop:
            stop.add_note(_reached(plans))
            raise
        listener.hear()

    def close(self) -> None:
        """Let the workers end; they have nothing to do."""
        self._inbox.close()

    def wait(self) -> None:
        """Wait until the workers have ended, and what was reserved for them is free."""
        ray.wait([self._leader])
        shutil.rmtree(self._folder, ignore_errors=True)

    def abort(self) -> None:
        """End the workers whatever they do, without a wait of more than some seconds."""
        # Ray ends this process if a task is cancelled while its result is being taken in: so one
        # that has ended is left alone.
        if not self._has_ended(timeout_s=0):
            ray.cancel(self._leader, force=True)
        if self._note.is_file():
            # Ray ends the workers with their leader, but keeps what was reserved for them.
            reservation, deadline = Reservation(self._note), time.monotonic() + ABORT_S
            while not reservation.remove() and time.monotonic() < deadline:
                time.sleep(POLL_S)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _has_ended(self, *, timeout_s: float) -> bool:
        """Return whether the leader ends, or has ended, within this time."""
        ended, _ = ray.wait([self._leader], timeout=timeout_s)
        return bool(ended)

    def _pause(self) -> None:
        """Wait a moment; raise what has ended the group."""
        if not self._has_ended(timeout_s=POLL_S):
            return
        try:
            ray.get(self._leader)
        except RayTaskError as error:
            raise to_own_error(error) from error
        except WorkerCrashedError as error:
            raise TrainingError(
                "the process that leads the workers was lost",
                hint="was memory short? run the same command to resume from the last epoch",
            ) from error


def _ignore(_: str, __: dict[str, Any]) -> None:
    """Take no notice of an epoch."""


def _check_there(needed: Path) -> None:
    """Refuse to wait for the workers if they wait for files that nobody writes any more."""
    if not needed.exists():
        raise TrainingError(
            "the workspace was removed or moved during training",
            where=str(needed),
            hint="run the same command again: it computes what is missing",
        )


def _make_ready(plan: TrainingJob) -> None:
    """Make the folder of a training; remove what was heard of another one before it."""
    folder = Path(plan.folder)
    folder.mkdir(parents=True, exist_ok=True)
    if plan.starts_anew:
        for name in (EPOCHS, HEARD):
            (folder / name).unlink(missing_ok=True)


def _reached(plans: Sequence[TrainingJob]) -> str:
    """Return the epoch from which the running training would resume, and its number of several."""
    plan = next((each for each in plans if read_complete(Path(each.folder)) is None), plans[-1])
    lines = epoch_lines(Path(plan.folder) / EPOCHS)
    of = f" of {plan.name!r}" if len(plans) > 1 else ""
    return f"after epoch {lines[-1]['epoch']}{of}" if lines else f"before the first epoch{of}"
