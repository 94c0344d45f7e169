"""What Ray reserves for the workers of a search's trial, and whether their controller is alive."""

from pathlib import Path
from typing import Any, cast

import ray
from ray._private import state
from ray.train.v2._internal.execution.callback import WorkerGroupCallback
from ray.train.v2._internal.execution.worker_group import WorkerGroup

from mmray.core.file.atomic import write_json


class NoteWorkers(WorkerGroupCallback):
    """Notes in a file the controller of the workers, and the placement group of the workers."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def after_worker_group_start(self, worker_group: WorkerGroup) -> None:
        """Write the note; also for workers that replace others."""
        group = worker_group.get_worker_group_state().placement_group_handle.placement_group
        controller = ray.get_runtime_context().get_actor_id()
        write_json(self._path, {"controller": controller, "reservation": group.id.hex()})


def is_alive(actor_id: str) -> bool:
    """Return whether an actor is alive.

    Ray's public way to ask needs its dashboard, which a local node does not have.
    """
    found = cast("dict[str, Any]", state.actors(actor_id))
    return bool(found) and found["State"] != "DEAD"
