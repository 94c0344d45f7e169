"""Ray Data on a local node, without three actors that serve a cluster.

One collects figures for a dashboard, one divides the nodes among datasets and requests more nodes,
one records which node each actor is on. Each is a process that imports Ray Data and then wakes a
hundred times a second. The second one is asked whenever Ray Data looks for work to hand out.
"""

import contextlib
import uuid
from collections.abc import Generator, Sequence

import ray

from mmray.distributed.ray_internals.hook import NEEDS, Hook, is_on
from mmray.distributed.ray_internals.replacing import replaced


class OneNode:
    """Gives all that the nodes have to every dataset; there can be no more nodes.

    Only for one dataset at a time: each one counts on everything.
    """

    def __init__(self, *_: object, **__: object) -> None:
        alive = [node for node in ray.nodes() if node["Alive"]]
        self._resources = {node["NodeID"]: dict(node["Resources"]) for node in alive}

    def request_resources(self, *_: object, **__: object) -> None:
        """Ignore the request."""

    def cancel_request(self) -> None:
        """Ignore the end of a request."""

    def get_reserved_resources(self) -> dict[str, dict[str, float]]:
        """Return what every node has, by the node's id."""
        return self._resources


class NoTracker:
    """Replaces the handle of the actor that records the locations of the others."""

    class Method:
        """A method of the handle."""

        def remote(self, *_: object) -> None:
            """Record nothing."""

    update_actor_location = Method()


@contextlib.contextmanager
def lean_data() -> Generator[None]:
    """Let Ray Data work in the block without what the hooks replace."""
    with contextlib.ExitStack() as stack:
        for hook, values in _VALUES.items():
            if is_on(hook):
                for part, value in zip(NEEDS[hook], values, strict=True):
                    stack.enter_context(replaced(part, value))
        yield


def _ignore(*_: object, **__: object) -> None:
    """Keep no figures."""


def _no_locations(_: tuple[str, ...]) -> dict[str, str]:
    """Return nothing: Ray Data then takes an actor to be where it was when it started."""
    return {}


def _new_id() -> str:
    return uuid.uuid4().hex


_VALUES: dict[Hook, Sequence[object]] = {
    Hook.DATA_FIGURES: (
        *(staticmethod(_ignore) for _ in range(3)),
        staticmethod(_new_id),
    ),
    Hook.DATA_NODES: (OneNode,),
    Hook.DATA_LOCATIONS: (NoTracker, _no_locations),
}
"""By hook, what takes the place of each part that it needs."""
