"""Frees what a trial's workers hold when Tune has stopped it.

Tune asks the trial's process to end, which it does when its workers have trained to the end. When
it is killed, Ray ends what it has started; but what Ray Train has reserved for the workers stays
reserved for as long as the search lives, and the next trial would wait for ever.
"""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import ray
from ray import tune
from ray._private import state
from ray._raylet import PlacementGroupID
from ray.train.v2._internal.execution.callback import WorkerGroupCallback
from ray.train.v2._internal.execution.worker_group import WorkerGroup
from ray.tune.experiment import Trial
from ray.util.placement_group import PlacementGroup, remove_placement_group

from mmray.core.file.atomic import read_json, write_json
from mmray.distributed.search.trial import TrialLog

WORKERS = "workers.json"
"""In a trial's folder: the actor that leads its workers, and the reservation of their CPUs."""
POLL_S, WAIT_S = 0.05, 10.0


class NoteWorkers(WorkerGroupCallback):
    """Notes in a folder who leads the workers and what is reserved for them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def after_worker_group_start(self, worker_group: WorkerGroup) -> None:
        """Write it down; also of workers that take the place of others."""
        group = worker_group.get_worker_group_state().placement_group_handle.placement_group
        note = {
            "controller": ray.get_runtime_context().get_actor_id(),
            "reservation": group.id.hex(),
        }
        write_json(self._folder / WORKERS, note)


@dataclass
class Releaser(tune.Callback):
    """Ends the processes of trials that have ended, and with them what is reserved for them.

    It runs in the process of the search.
    """

    log: TrialLog
    ending: list[Any] = field(default_factory=list[Any])
    """Actors of trials, which Tune has just asked to end."""
    waiting: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    """What is reserved, and by whom."""

    def on_trial_complete(
        self, iteration: int, trials: list[Trial], trial: Trial, **_: object
    ) -> None:
        """Take a trial that is done, was stopped early, or has failed."""
        actor = trial.temporary_state.ray_actor
        if actor is not None:
            self.ending.append(actor)
        path = self.log.results[trial.trial_id].folder / WORKERS
        if path.is_file():
            self.waiting.append(read_json(path))
            path.unlink()

    on_trial_error = on_trial_complete

    def on_step_end(self, iteration: int, trials: list[Trial], **_: object) -> None:
        """End what Tune is done with; end the reservations of all whose leader has ended."""
        while self.ending:
            # Asked to end, a trial's process first waits until its workers have trained to the end.
            ray.kill(self.ending.pop())
        for note in [each for each in self.waiting if not _is_alive(each["controller"])]:
            group = PlacementGroupID(bytes.fromhex(note["reservation"]))
            remove_placement_group(PlacementGroup(group))
            self.waiting.remove(note)

    def on_experiment_end(self, trials: list[Trial], **_: object) -> None:
        """Wait, though not for long, until nothing is reserved any more."""
        deadline = time.monotonic() + WAIT_S
        while self.waiting and time.monotonic() < deadline:
            self.on_step_end(0, trials)
            time.sleep(POLL_S)


def _is_alive(actor_id: str) -> bool:
    # Ray's public way to ask needs its dashboard, which a node of one's own does not have.
    found = cast("dict[str, Any]", state.actors(actor_id))
    return bool(found) and found["State"] != "DEAD"
