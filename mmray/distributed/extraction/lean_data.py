"""Ray Data on a node of this machine alone, without three actors that serve a cluster.

One gathers figures for a dashboard, one shares the nodes out among datasets and asks for more of
them, one knows which node each actor is on. Each is a process that has to import Ray Data, and then
wakes a hundred times a second; the second is asked whenever Ray Data looks for work to give out.

Ray Data also looks ten times a second what has been done and could be done next, at a cost of
milliseconds, and who takes its results asks for them a hundred times a second. Here both look as
often as tasks end: an actor has one more waiting, so it is enough to look once in the time of one.
"""

import contextlib
import time
import uuid
from collections.abc import Callable, Generator
from typing import Any

import ray
from ray.data._internal import stats
from ray.data._internal.cluster_autoscaler import rate_based_cluster_autoscaler as autoscaler
from ray.data._internal.cluster_autoscaler.base_autoscaling_coordinator import (
    AutoscalingCoordinator,
)
from ray.data._internal.execution import streaming_executor_state as executor
from ray.data._internal.execution.operators import actor_pool_map_operator as actor_pool

from mmray.distributed.node.lean_node import has_lean_node, replaced

SHORTEST_S, LONGEST_S = 0.05, 0.2
"""Between two looks."""
_LOOK = "WAIT_FOR_TASK_COMPLETION_TIMEOUT_S"


class OneNode(AutoscalingCoordinator):
    """Gives all that the nodes have to whoever asks; there can be no more nodes.

    For one dataset at a time: two would each count on the whole.
    """

    def __init__(self, *_: object, **__: object) -> None:
        alive = [node for node in ray.nodes() if node["Alive"]]
        self._resources = {node["NodeID"]: dict(node["Resources"]) for node in alive}

    def request_resources(self, *_: object, **__: object) -> None:
        """Take note of nothing."""

    def cancel_request(self) -> None:
        """Forget nothing."""

    def get_reserved_resources(self) -> dict[str, dict[str, float]]:
        """Return what every node has, by its identity."""
        return self._resources


class NoTracker:
    """Stands in for the handle of the actor that is told where the others are."""

    class Method:
        """A method of it."""

        def remote(self, *_: object) -> None:
            """Tell nobody."""

    update_actor_location = Method()


class Pace:
    """How often Ray Data looks; stands in for the module ``time`` where it sleeps between looks."""

    def __init__(self) -> None:
        self._seconds = SHORTEST_S

    def follow(self, seconds: float) -> None:
        """Look about once in the time that a task takes."""
        self._seconds = min(max(seconds, SHORTEST_S), LONGEST_S)
        setattr(executor, _LOOK, self._seconds)

    def __getattr__(self, name: str) -> object:
        return getattr(time, name)

    def sleep(self, seconds: float) -> None:
        """Sleep for ``seconds``, and no less than until the next look."""
        time.sleep(max(seconds, self._seconds))


@contextlib.contextmanager
def lean_data() -> Generator[Callable[[float], None]]:
    """Let Ray Data work in the block without those actors, where this process has its own node.

    What another release of Ray names otherwise is started. What the block gets is told, while it
    goes on, how many seconds a task takes.
    """
    if not has_lean_node():
        yield _nothing
        return
    pace = Pace()
    with contextlib.ExitStack() as stack:
        for owner, name, value in (*_STAND_INS, (executor, "time", pace)):
            stack.enter_context(replaced(owner, name, value))
        yield pace.follow


def _nothing(*_: object, **__: object) -> None:
    """Keep no figures, or no pace."""


def _no_locations(_: tuple[str, ...]) -> dict[str, str]:
    """Know nothing: an actor is then taken to be where it said it was when it started."""
    return {}


def _new_name() -> str:
    return uuid.uuid4().hex


_FIGURES: type = vars(stats).get("_StatsManager", object)
# Its methods, not its name: several modules have that.
_STAND_INS: list[tuple[Any, str, object]] = [
    (_FIGURES, "update_execution_metrics", staticmethod(_nothing)),
    (_FIGURES, "update_iteration_metrics", staticmethod(_nothing)),
    (_FIGURES, "register_dataset_to_stats_actor", staticmethod(_nothing)),
    (_FIGURES, "gen_dataset_id_from_stats_actor", staticmethod(_new_name)),
    (autoscaler, "DefaultAutoscalingCoordinator", OneNode),
    (actor_pool, "get_or_create_actor_location_tracker", NoTracker),
    (actor_pool, "get_actor_locations", _no_locations),
    (executor, _LOOK, SHORTEST_S),
]
